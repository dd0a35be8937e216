// Fields for the arguments of a job, typed as the interface describes them.

import { make } from "./element.js";
import { suggestSymbols } from "./suggest.js";
import { count, word } from "../words/words.js";

const LIST = "a list, each a string";
const SYMBOLS = /symbol|ticker/i;

/** Reads words as the value of each kind; throws the key of what to say where they are none. */
const KINDS = {
  "a string": { read: (text) => text },
  "a whole number": { help: "kindWhole", mode: "numeric", read: (text) => matching(text, /^[-+]?\d+$/, Number, "kindWhole") },
  "a number": { help: "kindNumber", mode: "decimal", read: (text) => matching(text, /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i, Number, "kindNumber") },
  "true or false": { options: () => [["true", word("yes")], ["false", word("no")]], read: (text) => text === "true" },
  [LIST]: { help: "kindList", read: (text) => text.split(/[,\s]+/).filter(Boolean) },
};
const JSON_KIND = { help: "kindJson", isLong: true, read: json };

/** One field: `element`, `name`, `value()` (undefined where left empty), `error(text)`, `check()`. */
export class Field {
  constructor({ name, kind, required, default: fallback, least, most }) {
    Object.assign(this, { name, required, fallback, least, most });
    const parts = kind.split(" or ").filter((part) => part !== "null");
    this.kind = kind in KINDS ? KINDS[kind] : kind.startsWith("one of ") ? choice(kind) : parts.length === 1 ? (KINDS[parts[0]] ?? JSON_KIND) : JSON_KIND;
    if (kind === "true or false") this.kind = KINDS[kind];
    this.isSymbols = SYMBOLS.test(name);
    this.build(`a-${name}`);
  }

  build(id) {
    const { options, isLong, mode } = this.kind;
    const said = { id, name: this.name, autocomplete: "off", spellcheck: false, required: this.required };
    if (options) this.input = make("select", said, ...this.options(options()));
    else this.input = make(isLong ? "textarea" : "input", { ...said, ...(mode && { inputMode: mode }) });
    if (this.isSymbols) this.input.autocapitalize = "characters";
    this.input.setAttribute("aria-describedby", `${id}-help`);
    this.help = make("p", { className: "help", id: `${id}-help`, textContent: this.helpText() });
    const mark = this.required ? make("span", { className: "needed", textContent: "*", ariaHidden: "true" }) : null;
    this.element = make("div", { className: "field", dataset: { field: this.name } }, make("label", { htmlFor: id, textContent: this.name }), this.input, this.help);
    if (mark) this.element.firstElementChild.append(mark);
    if (this.isSymbols && !options) suggestSymbols(this.input, { isMany: this.kind.help === "kindList" });
  }

  options(given) {
    const usual = given.find(([value]) => value === String(this.fallback))?.[1] ?? "–";
    const blank = this.required ? [] : [["", word("leftOut", { value: usual })]];
    return [...blank, ...given].map(([value, text]) => make("option", { value, textContent: text }));
  }

  helpText() {
    const { help, options } = this.kind;
    const text = word(this.isSymbols ? "kindSymbol" : "kindText");
    const kind = this.bounds() || (help ? word(help, { example: '{"a": 1}' }) : options ? "" : text);
    const empty = this.required || options ? "" : this.fallback == null || this.fallback === "" ? word("optional") : word("byDefault", { value: typeof this.fallback === "string" ? this.fallback : JSON.stringify(this.fallback) });
    return [kind, empty].filter(Boolean).join(" ");
  }

  bounds() {
    return this.most == null ? "" : word("kindBetween", { least: count(this.least), most: count(this.most) });
  }

  value() {
    const text = this.input.value.trim();
    if (!text) return undefined;
    const value = this.kind.read(this.isSymbols ? text.toUpperCase() : text);
    if (this.most != null && (value < this.least || value > this.most)) throw new Error(this.bounds());
    return value;
  }

  /** Show a value as one would write it; undefined leaves the field empty. */
  fill(value) {
    const isList = Array.isArray(value) && this.kind.help === "kindList";
    const text = isList ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
    this.input.value = value == null ? "" : text;
  }

  /** What is wrong, told at the field; nothing where all is well. */
  check() {
    let wrong = "";
    try {
      if (this.value() === undefined && this.required) wrong = word("isRequired");
    } catch (error) {
      wrong = error.message;
    }
    this.error(wrong);
    return wrong;
  }

  error(text) {
    showError(this.element, text, this.helpText());
  }
}

/** Say under a field what is wrong with it, or again what it takes. */
export function showError(element, text, help) {
  const [input, note] = [element.querySelector("input, select, textarea"), element.querySelector(".help")];
  note.textContent = text || help;
  element.classList.toggle("is-wrong", Boolean(text));
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function choice(kind) {
  const given = kind.replace("one of ", "").replace(/ or null$/, "").split(", ");
  return { options: () => given.map((each) => [each, each]), read: (text) => text };
}

function matching(text, pattern, convert, key) {
  if (!pattern.test(text)) throw new Error(word(key));
  return convert(text);
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(word("kindJson", { example: '{"a": 1}' }));
  }
}
