// A form that makes a subscription, and the terms it is told by: what is allowed it reads from the protocol's schema.

import { make } from "../../components/element.js";
import { showError } from "../../components/fields.js";
import { KINDS } from "../../stream/protocol.js";
import { count, word } from "../../words/words.js";

/** Which fields say something about a type; of `all` there is no kind. */
const APPLIES = {
  symbols: (kind) => !kind || kind.by_symbol,
  interval: (kind) => Boolean(kind?.has_intervals),
  indicators: (kind) => Boolean(kind?.has_indicators),
  mode: (kind) => !kind || kind.conflated === "all",
  batch: (kind) => !kind || kind.conflated === "all",
  pace_ms: (kind) => !kind || kind.conflated === "all",
  fields: (kind) => !kind || kind.conflated === "all",
};
const TERMS = ["batch", "pace_ms", "fields"];

export class SubscriptionForm {
  /** `changed()` hears that something else would be said. */
  constructor(form, { actions, changed }) {
    const { type, ...wish } = actions.subscribe.properties;
    const terms = actions.configure.properties;
    this.form = form;
    this.fields = [
      new Choice("type", type.enum, { names: Object.fromEntries(type.enum.map((name) => [name, KINDS[name]?.for_staff ? word("forStaff", { type: name }) : name])) }),
      new Names("symbols", wish.symbols, { isLoud: true }),
      new Choice("interval", ["", ...wish.interval.enum], { names: { "": word("usual", { value: "1d" }) } }),
      new Names("indicators", wish.indicators, {}),
      new Choice("mode", ["", ...wish.mode.enum], { names: { "": word("usual", { value: "latest" }) } }),
      new Mark("batch"),
      new Whole("pace_ms", terms.pace_ms),
      new Marks("fields", terms.fields.items.enum),
    ];
    this.of("symbols").input.value = "AAPL, MSFT";
    form.replaceChildren(...this.fields.map(({ element }) => element));
    form.addEventListener("input", () => this.settle(changed));
    this.settle(changed);
  }

  of(name) {
    return this.fields.find((field) => field.name === name);
  }

  settle(changed) {
    const kind = KINDS[this.of("type").value()];
    for (const { name, element } of this.fields) element.hidden = name in APPLIES && !APPLIES[name](kind);
    this.of("symbols").isNeeded = Boolean(kind?.is_cache);
    changed();
  }

  /** What is to be said, in its order; null where a field is wrong, which says so. */
  actions() {
    const shown = this.fields.filter(({ element }) => !element.hidden);
    const isWrong = shown.map((field) => field.check()).some(Boolean);
    if (isWrong) return null;
    const said = Object.fromEntries(shown.map((field) => [field.name, field.value()]).filter(([, value]) => value !== undefined));
    const isTerm = ([name]) => TERMS.includes(name);
    const terms = Object.entries(said).filter(isTerm);
    const wish = Object.entries(said).filter((entry) => !isTerm(entry));
    const subscribe = { action: "subscribe", ...Object.fromEntries(wish) };
    return terms.length ? [{ action: "configure", ...Object.fromEntries(terms) }, subscribe] : [subscribe];
  }
}

/** A field: `element`, `name`, `value()` (undefined where it is left out) and `check()`, which shows what is wrong. */
class Field {
  constructor(name, input, help = "") {
    const id = `d-${name}`;
    Object.assign(input, { id, name });
    input.setAttribute("aria-describedby", `${id}-help`);
    Object.assign(this, { name, input, help });
    const note = make("p", { className: "help", id: `${id}-help`, textContent: help });
    this.element = make("div", { className: "field", dataset: { field: name } }, make("label", { htmlFor: id, textContent: name }), input, note);
  }

  check() {
    const wrong = this.wrong();
    showError(this.element, wrong, this.help);
    return wrong;
  }

  wrong() {
    return "";
  }
}

class Choice extends Field {
  constructor(name, values, { names = {} }) {
    super(name, make("select", {}, ...values.map((value) => make("option", { value, textContent: names[value] ?? value }))));
  }

  value() {
    return this.input.value || undefined;
  }
}

/** Names between commas or spaces, each as the schema wants it. */
class Names extends Field {
  constructor(name, shape, { isLoud = false }) {
    const [example] = shape.items.examples ?? ["AAPL, MSFT"];
    super(name, make("input", { autocomplete: "off", spellcheck: false, placeholder: example }), word("namesHelp", { n: count(shape.maxItems) }));
    Object.assign(this, { shape, isLoud, isNeeded: false, pattern: shape.items.pattern && new RegExp(shape.items.pattern) });
    if (isLoud) this.input.autocapitalize = "characters";
  }

  value() {
    const text = this.isLoud ? this.input.value.toUpperCase() : this.input.value;
    const names = [...new Set(text.split(/[,\s]+/).filter(Boolean))];
    return names.length ? names : undefined;
  }

  wrong() {
    const names = this.value() ?? [];
    if (!names.length) return this.isNeeded ? word("namesNeeded") : "";
    if (names.length > this.shape.maxItems) return word("namesTooMany", { n: count(this.shape.maxItems) });
    const { maxLength, examples } = this.shape.items;
    const strange = names.find((name) => name.length > maxLength || (this.pattern && !this.pattern.test(name)));
    return strange ? word("nameStrange", { name: strange.slice(0, 40), example: examples?.[0] ?? "AAPL" }) : "";
  }
}

class Whole extends Field {
  constructor(name, { minimum, maximum }) {
    super(name, make("input", { inputMode: "numeric", autocomplete: "off" }), word("wholeHelp", { least: count(minimum), most: count(maximum) }));
    Object.assign(this, { minimum, maximum });
  }

  value() {
    const text = this.input.value.trim();
    return text ? Number(text) : undefined;
  }

  wrong() {
    const value = this.value();
    return value === undefined || (Number.isInteger(value) && value >= this.minimum && value <= this.maximum) ? "" : this.help;
  }
}

class Mark extends Field {
  constructor(name) {
    super(name, make("input", { type: "checkbox" }), word("batchHelp"));
    this.element.classList.add("mark");
  }

  value() {
    return this.input.checked || undefined;
  }
}

/** Any of a few, each a mark. */
class Marks {
  constructor(name, values) {
    this.name = name;
    this.marks = values.map((value) => make("input", { type: "checkbox", name, value }));
    const labels = this.marks.map((mark) => make("label", {}, mark, mark.value));
    const summary = make("summary", { textContent: word("fieldsOnly") });
    this.element = make("details", { className: "field marks", dataset: { field: name } }, summary, make("fieldset", { ariaLabel: word("fieldsOnly") }, ...labels));
  }

  value() {
    const chosen = this.marks.filter(({ checked }) => checked).map(({ value }) => value);
    return chosen.length ? chosen : undefined;
  }

  check() {
    return "";
  }
}
