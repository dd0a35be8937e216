// Which other symbols are chosen to stand beside the panel's own, and their histories.

import { toast } from "../toast.js";
import { word } from "../../words/words.js";
import { brought } from "./brought.js";
import { barsOf } from "./history.js";
import { gathered } from "./intervals.js";

export class Beside {
  constructor(panel) {
    Object.assign(this, { panel, others: new Map(), wished: new Set(), lines: null });
  }

  has(symbol) {
    return this.others.has(symbol);
  }

  get size() {
    return this.others.size;
  }

  async add(symbol) {
    this.wished.add(symbol);
    const { subject } = this.panel;
    const [{ Compared, MOST_COMPARED }, found] = await Promise.all([brought(import("./compare.js")), barsOf(symbol, { interval: this.panel.toolbar.base, adjusted: this.panel.toolbar.adjusted, knownAt: this.panel.toolbar.knownAt }).catch((error) => error)]);
    const isWished = this.wished.has(symbol) && subject === this.panel.subject; // still
    if (!Compared || !isWished) return;
    if (this.size >= MOST_COMPARED) {
      this.wished.delete(symbol);
      toast(word("compareFull"), { isWrong: true });
      return;
    }
    this.lines ??= new Compared(this.panel.chart);
    if (found instanceof Error) {
      this.wished.delete(symbol);
      toast(word("compareFailed", { symbol }), { isWrong: true });
    } else this.others.set(symbol, found);
    this.changed();
  }

  remove(symbol) {
    this.others.delete(symbol);
    this.wished.delete(symbol);
    this.changed();
  }

  clear() {
    this.others.clear();
    this.wished.clear();
    this.show();
  }

  changed() {
    this.show();
    this.panel.toolbar.showScale();
  }

  /** In the interval that is asked for. */
  show() {
    const { interval } = this.panel.toolbar;
    this.lines?.show(new Map([...this.others].map(([symbol, found]) => [symbol, gathered(found, interval).bars])));
  }
}
