// What of the jobs is shown: by state, name and symbol, kept in the address so that it can be shared.

import { make } from "./element.js";
import { setText } from "./frame.js";
import { compact, word } from "./words.js";

const NAMES = ["status", "name", "symbol", "parent"];
const TYPING = 250;

export class Filters {
  /** `changed()` is called when another part is asked for. */
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.off = form.querySelector("[data-parent-off]");
    this.read();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-states]").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.set({ status: button.dataset.statusFilter });
    });
    form.elements.name.addEventListener("change", ({ target }) => this.set({ name: target.value }));
    form.elements.symbol.addEventListener("input", ({ target }) => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.set({ symbol: target.value.trim() }), TYPING);
    });
    this.off.addEventListener("click", () => this.set({ parent: "" }));
  }

  /** From the address, as at the start and after Back. */
  read() {
    const asked = new URLSearchParams(location.search);
    this.asked = Object.fromEntries(NAMES.map((name) => [name, asked.get(name) ?? ""]));
    this.show();
  }

  set(part) {
    const before = this.query();
    this.asked = { ...this.asked, ...part };
    this.show();
    if (this.query() !== before) this.changed();
  }

  clear() {
    this.set(Object.fromEntries(NAMES.map((name) => [name, ""])));
  }

  get isSet() {
    return NAMES.some((name) => this.asked[name]);
  }

  /** The part of an address that says this, with its question mark, or nothing. */
  query(more = {}) {
    const all = Object.entries({ ...this.asked, ...more }).filter(([, value]) => value);
    return all.length ? `?${new URLSearchParams(all)}` : "";
  }

  show() {
    const { status, name, symbol, parent } = this.asked;
    for (const button of this.form.querySelectorAll("[data-status-filter]")) {
      button.setAttribute("aria-pressed", button.dataset.statusFilter === status);
    }
    this.reveal();
    const { name: select, symbol: input } = this.form.elements;
    if (name && ![...select.options].some(({ value }) => value === name)) select.append(option(name));
    select.value = name;
    if (document.activeElement !== input) input.value = symbol;
    this.off.hidden = !parent;
    setText(this.off, word("onlyOf", { id: parent.slice(0, 8) }));
  }

  /** The chosen state is seen where not all have room. */
  reveal() {
    const chosen = this.form.querySelector("[aria-pressed=true]");
    if (chosen) chosen.parentElement.scrollLeft = chosen.offsetLeft - (chosen.parentElement.clientWidth - chosen.offsetWidth) / 2;
  }

  name(names) {
    const select = this.form.elements.name;
    const known = new Set([...select.options].map(({ value }) => value));
    select.append(...names.filter((name) => !known.has(name)).map(option));
    select.value = this.asked.name;
  }

  count(counts) {
    for (const button of this.form.querySelectorAll("[data-status-filter]")) {
      const number = counts[button.dataset.statusFilter];
      setText(button.querySelector("small"), number ? compact(number) : "");
    }
    if (!this.isCounted) this.reveal();
    this.isCounted = true;
  }

  focus() {
    this.form.elements.symbol.focus();
  }
}

function option(name) {
  return make("option", { value: name, textContent: name });
}
