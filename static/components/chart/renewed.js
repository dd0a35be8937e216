// What is computed of bars and told by no stream: of weeks, months and bars within a day, and where prices are restated
// otherwise. It is read with the bars, or where they are made here by itself, and again every few seconds while they move.

import { answerAlong, indicatorsOf } from "./history.js";
import { isMade } from "./intervals.js";

const EVERY = 10_000;
const NEWEST = { "1m": "1d", "5m": "1d", "15m": "5d", "30m": "5d", "1h": "5d" }; // what may lack values yet

export class Renewed {
  constructor(panel) {
    Object.assign(this, { panel, told: null, readAt: 0, waiting: null });
  }

  /** What it depends on: an answer of something else is none. */
  get subject() {
    const { subject, toolbar, indicators } = this.panel;
    return [subject?.symbol, toolbar.interval, toolbar.adjusted, indicators].join();
  }

  /** Lines along bars that were made of others; those that come later are drawn then. */
  along(shown) {
    if (!isMade(shown.interval)) return shown;
    if (this.of !== this.subject) this.read();
    else if (this.told) shown.lines = answerAlong(shown, this.told, this.panel.indicators);
    return shown;
  }

  /** The newest bar has moved. */
  moved() {
    if (this.waiting || !this.panel.indicators.length) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      if (!document.hidden) this.read();
    }, Math.max(500, this.readAt + EVERY - Date.now()));
  }

  async read() {
    const { panel } = this;
    if (!panel.isUntold) return;
    const [of, { interval, adjusted }, keys] = [this.subject, panel.toolbar, panel.indicators];
    if (this.of !== of) Object.assign(this, { of, told: null });
    this.readAt = Date.now();
    const period = isMade(interval) ? "max" : (NEWEST[interval] ?? "5d");
    const told = await indicatorsOf(panel.subject.symbol, keys, { interval, adjusted, period }).catch(() => null);
    if (!told || told.lacking || this.subject !== of || !panel.known) return;
    this.told = told;
    if (!isMade(interval)) panel.known.lines = answerAlong(panel.known, told, keys);
    panel.redraw({ keepPlace: true });
  }
}
