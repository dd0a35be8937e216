// What of the jobs is shown: by state, name and symbol, kept in the address so that it can be shared.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { suggestSymbols } from "../../components/suggest.js";
import { titleOf } from "./titles.js";
import { compact, word } from "../../words/words.js";

const NAMES = ["view", "status", "outcome", "name", "symbol", "parent", "schedule"];
const TYPING = 250;

export class Filters {
  /** `changed()` is called when another part is asked for. */
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.offs = Object.fromEntries(["parent", "schedule"].map((name) => [name, form.querySelector(`[data-${name}-off]`)]));
    this.read();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-states]").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.set({ status: button.dataset.statusFilter, outcome: button.dataset.outcome ?? "" });
    });
    form.querySelector("[data-views]")?.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.set({ view: button.dataset.view });
    });
    suggestSymbols(form.elements.symbol);
    form.elements.name.addEventListener("change", ({ target }) => this.set({ name: target.value }));
    form.elements.symbol.addEventListener("input", ({ target }) => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.set({ symbol: target.value.trim() }), TYPING);
    });
    for (const [name, off] of Object.entries(this.offs)) off.addEventListener("click", () => this.set({ [name]: "" }));
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
    const { view, status, outcome, name, symbol, parent, schedule } = this.asked;
    for (const button of this.form.querySelectorAll("[data-status-filter]")) {
      button.setAttribute("aria-pressed", button.dataset.statusFilter === status && (button.dataset.outcome ?? "") === outcome);
    }
    for (const button of this.form.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === view);
    this.reveal();
    const { name: select, symbol: input } = this.form.elements;
    if (name && ![...select.options].some(({ value }) => value === name)) select.append(option(name));
    select.value = name;
    if (document.activeElement !== input) input.value = symbol;
    this.offs.parent.hidden = !parent;
    setText(this.offs.parent, word("onlyOf", { id: parent.slice(0, 8) }));
    this.offs.schedule.hidden = !schedule;
    setText(this.offs.schedule, word("onlyRuns", { name: schedule }));
  }

  /** The chosen state is seen where not all have room. */
  reveal() {
    const chosen = this.form.querySelector("[data-status-filter][aria-pressed=true]");
    if (chosen) chosen.parentElement.scrollLeft = chosen.offsetLeft - (chosen.parentElement.clientWidth - chosen.offsetWidth) / 2;
  }

  name(names) {
    const select = this.form.elements.name;
    const known = new Set([...select.options].map(({ value }) => value));
    select.append(...names.filter((name) => !known.has(name)).map(option));
    for (const each of select.options) if (each.value) each.textContent = [titleOf({ name: each.value }), each.value].filter(Boolean).join(" · ");
    select.value = this.asked.name;
  }

  count(counts) {
    for (const button of this.form.querySelectorAll("[data-status-filter]")) {
      const number = button.dataset.outcome ? 0 : counts[button.dataset.statusFilter];
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
