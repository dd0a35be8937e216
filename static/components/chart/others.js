// The menu of symbols that can stand beside the panel's own: those that stand there, and what is searched for as the palette
// does it, in any order of words, with a typo, and by the server where the list is longer than what is at hand.

import { make } from "../element.js";
import { ranked } from "../palette/matching.js";
import { cancelSearch, search, symbols } from "../palette/symbols.js";
import { word } from "../../words/words.js";

const MOST = 30;

export class Others {
  /** `box` holds the list, `field` what is typed. */
  constructor(panel, box, field) {
    Object.assign(this, { panel, box, field });
    field.addEventListener("input", () => this.look());
  }

  /** The menu was opened, or there is something to look at again. */
  async look() {
    const text = this.field.value.trim();
    const { subject } = this.panel;
    const isMeant = () => text === this.field.value.trim() && subject === this.panel.subject;
    cancelSearch();
    try {
      const { entries, isWhole } = await symbols();
      if (!isMeant()) return;
      const best = text ? ranked(entries, text) : entries;
      this.show(best, text && !isWhole && best.length < MOST ? word("searching") : "");
      if (!text || isWhole || best.length >= MOST) return;
      const found = await search(text);
      if (found && isMeant()) this.show([...best, ...found.filter(({ id }) => best.every((each) => each.id !== id))]);
    } catch {
      if (isMeant()) this.show([], word("searchFailed"));
    }
  }

  /** Those that stand there stay on top whatever is searched for. */
  show(entries, said = "") {
    const { beside, subject } = this.panel;
    const chosen = [...beside.wished];
    const names = new Map(entries.map(({ title, name }) => [title, name]));
    const others = entries.map(({ title }) => title).filter((symbol) => symbol !== subject.symbol && !chosen.includes(symbol));
    const lines = [...chosen, ...others.slice(0, MOST)].map((symbol) => this.line(symbol, names.get(symbol) ?? this.nameOf(symbol)));
    const note = said || (lines.length ? "" : word(this.field.value.trim() ? "nothingFound" : "noOthers"));
    this.box.replaceChildren(...lines, note ? make("p", { className: "quiet", textContent: note }) : "");
  }

  /** As the menu called it before something else was searched for. */
  nameOf(symbol) {
    return this.box.querySelector(`[data-symbol="${CSS.escape(symbol)}"] span`)?.textContent ?? "";
  }

  line(symbol, name) {
    const { beside } = this.panel;
    const box = make("input", { type: "checkbox", checked: beside.wished.has(symbol) });
    box.addEventListener("change", async () => {
      await (box.checked ? beside.add(symbol) : beside.remove(symbol));
      // Another one by now, where the list was made anew meanwhile.
      const shown = this.box.querySelector(`[data-symbol="${CSS.escape(symbol)}"] input`);
      if (shown) shown.checked = beside.has(symbol);
    });
    return make("label", { className: "check", dataset: { symbol } }, box, make("b", { textContent: symbol }), make("span", { textContent: name }));
  }
}
