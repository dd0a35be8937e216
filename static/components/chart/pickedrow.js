// One indicator on the chart, as the picker lists it: whether it is seen, its parameters, its place, and why it has no value.

import { make } from "../element.js";
import { prefer } from "../preferences.js";
import { suggestSymbols } from "../suggest.js";
import { count, word } from "../../words/words.js";

const REST = 600; // ms after the last key until a value is meant

export class PickedRow {
  constructor(picker, key) {
    Object.assign(this, { picker, key });
    const [own, against = ""] = key.split("~");
    const [name, ...values] = own.split("_");
    this.against = against;
    this.entry = picker.entries.get(name);
    this.values = this.entry?.parameters.map((each, at) => values[at] ?? String(each.default)) ?? [];
    this.build();
  }

  get title() {
    return this.entry?.title ?? this.key;
  }

  build() {
    const { picker, title } = this;
    this.swatch = make("i", { className: "swatch", ariaHidden: "true" });
    this.sight = make("input", { type: "checkbox", ariaLabel: word("pickerShow", { title }), title: word("pickerShow", { title }), dataset: { part: "sight" } });
    this.sight.addEventListener("change", () => {
      const hidden = picker.panel.hidden.filter((each) => each !== this.key);
      if (!this.sight.checked) hidden.push(this.key);
      prefer("chart.hidden", hidden.length ? hidden : null);
    });
    const button = (part, text, act) => {
      const made = make("button", { type: "button", textContent: text, ariaLabel: word(`picker${part[0].toUpperCase()}${part.slice(1)}`, { title }), dataset: { part } });
      made.addEventListener("click", act);
      return made;
    };
    this.up = button("up", "↑", () => picker.move(this.key, -1));
    this.down = button("down", "↓", () => picker.move(this.key, 1));
    this.fields = this.entry?.parameters.map((each, at) => this.field(each, at)) ?? [];
    if (this.entry?.inputs.includes("against")) this.fields.push(this.other());
    this.note = make("p", { className: "quiet reason" });
    this.element = make("li", {},
      make("div", { className: "bar" }, this.swatch, make("label", { className: "name" }, this.sight, make("span", { textContent: title })), this.up, this.down, button("remove", "×", () => picker.remove(this.key))),
      this.fields.length ? make("div", { className: "parameters" }, ...this.fields.map(({ element }) => element)) : null,
      this.note);
    this.rename(this.key);
  }

  rename(key) {
    this.key = key;
    this.element.dataset.key = key;
  }

  field(parameter, at) {
    const id = `picker-${this.picker.made = (this.picker.made ?? 0) + 1}`;
    const allowed = word("pickerAllowed", { least: count(parameter.least, 4), most: count(parameter.most, 4) });
    const input = make("input", { id, inputMode: parameter.is_whole ? "numeric" : "decimal", value: this.values[at], autocomplete: "off", maxLength: 8, dataset: { part: parameter.name } });
    const help = make("small", { id: `${id}-help`, className: "help", textContent: allowed });
    input.setAttribute("aria-describedby", help.id);
    let waiting = null;
    const take = () => {
      clearTimeout(waiting);
      this.take();
    };
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(take, REST);
    });
    input.addEventListener("change", take);
    return { parameter, input, help, allowed, element: make("div", { className: "field" }, make("label", { htmlFor: id, textContent: parameter.title }), input, help) };
  }

  /** The symbol that it is measured against. */
  other() {
    const id = `picker-${this.picker.made = (this.picker.made ?? 0) + 1}`;
    const input = make("input", { id, value: this.against, autocomplete: "off", spellcheck: false, maxLength: 32, dataset: { part: "against" } });
    const [allowed, help] = [word("pickerAgainstHelp"), make("small", { id: `${id}-help`, className: "help", textContent: word("pickerAgainstHelp") })];
    input.setAttribute("aria-describedby", help.id);
    input.addEventListener("change", () => this.take());
    const element = make("div", { className: "field" }, make("label", { htmlFor: id, textContent: word("pickerAgainst") }), input, help);
    suggestSymbols(input);
    return { isOther: true, input, help, allowed, element };
  }

  /** What was typed counts once every field is right; a wrong one says what it takes. */
  take() {
    const values = this.fields.map((field) => read(field));
    const isRight = this.fields.map((field, at) => {
      const wrong = values[at] === null ? field.isOther ? field.allowed : word(field.parameter.is_whole ? "pickerWhole" : "pickerBetween", { allowed: field.allowed }) : "";
      tell(field, wrong);
      return !wrong;
    }).every(Boolean);
    if (!isRight) return;
    const other = this.fields.at(-1)?.isOther ? `~${values.pop()}` : "";
    const key = [this.entry.name, ...values].join("_") + other;
    if (key === this.key) return;
    if (this.picker.panel.indicators.includes(key)) tell(this.fields[0], word("pickerThere", { title: this.title }));
    else this.picker.replace(this.key, key);
  }

  show(place, of) {
    const { panel } = this.picker;
    const lines = this.picker.lines(this.key);
    this.sight.checked = !panel.hidden.includes(this.key);
    this.up.disabled = !place;
    this.down.disabled = place === of - 1;
    this.swatch.style.setProperty("--key", lines.length ? `var(--${lines[0].hue})` : "transparent");
    this.note.textContent = this.why(lines);
    this.note.hidden = !this.note.textContent;
  }

  /** Why the newest bar has no value of it. */
  why(lines) {
    const { bars = [] } = this.picker.panel.chart.shown ?? {};
    if (!this.entry) return word("pickerUnknown");
    if (!bars.length || !lines.length || lines.some(({ values }) => values.at(-1) != null)) return "";
    const { reason } = lines[0];
    if (reason.startsWith("0/0")) return word("reasonZero");
    if (reason) return word("reasonUnknown");
    return lines.every(({ values }) => values.every((value) => value == null)) ? word("reasonFew", { n: count(this.entry.warm_up + 1) }) : "";
  }

  bring() {
    this.element.scrollIntoView({ block: "nearest" });
    this.element.classList.remove("is-new");
    requestAnimationFrame(() => this.element.classList.add("is-new"));
  }
}

/** A value as keys have it, null where it is none that is allowed. */
function read({ parameter, input, isOther }) {
  if (isOther) return /^[^\s,~]+$/.test(input.value.trim()) ? input.value.trim().toUpperCase() : null;
  const text = input.value.trim().replace(",", ".");
  if (!(parameter.is_whole ? /^\d+$/ : /^\d+(\.\d{1,4})?$/).test(text)) return null;
  const value = Number(text);
  return value >= parameter.least && value <= parameter.most ? String(value) : null;
}

function tell({ input, help, allowed, element }, wrong) {
  help.textContent = wrong || allowed;
  element.classList.toggle("is-wrong", Boolean(wrong));
  if (wrong) {
    input.setAttribute("aria-invalid", "true");
    element.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-invalid");
}
