// The crosshair by the keyboard: arrows go from bar to bar, and what stands there is read out.

import { valuesAt } from "./legend.js";

const REST = 200; // a key that is held down reads only the bar it stops at
const FAR = 10;

export class Readout {
  /** `said` is the live region; `moved(at)` tells where the crosshair stands, null where nowhere. */
  constructor(chart, said, { moved = () => {} } = {}) {
    Object.assign(this, { chart, said, moved, at: null });
    chart.element.addEventListener("keydown", (event) => this.press(event));
    chart.element.addEventListener("blur", () => this.leave());
    chart.element.addEventListener("pointerdown", () => this.leave());
    chart.element.addEventListener("pointermove", ({ movementX: x, movementY: y }) => (x || y) && this.leave());
  }

  press(event) {
    if (event.altKey || event.metaKey || !this.chart.bars.length) return;
    const by = event.shiftKey || event.ctrlKey ? FAR : 1;
    const last = this.chart.bars.length - 1;
    const from = this.at ?? last + 1;
    const steps = { ArrowLeft: from - by, ArrowRight: from + by, PageUp: from - FAR * by, PageDown: from + FAR * by, Home: 0, End: last };
    if (event.key in steps) this.go(steps[event.key]);
    else if (event.key === "Escape" && this.at !== null) this.leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go(place) {
    const { chart } = this;
    this.at = Math.min(Math.max(0, place), chart.bars.length - 1);
    this.bring();
    this.stay();
    this.moved(this.at);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.say(), REST);
  }

  /** The crosshair is where its bar is now: a new bar moves those before it, and the chart's crosshair stays at its pixel. */
  stay() {
    const { chart, at } = this;
    if (at !== null) chart.chart.setCrosshairPosition(chart.bars[at].close, chart.times[at], chart.main);
  }

  /** The bar comes into sight where it is not. */
  bring() {
    const scale = this.chart.chart.timeScale();
    const { from, to } = scale.getVisibleLogicalRange();
    const width = to - from;
    if (this.at < from) scale.setVisibleLogicalRange({ from: this.at - 1, to: this.at - 1 + width });
    else if (this.at > to) scale.setVisibleLogicalRange({ from: this.at + 1 - width, to: this.at + 1 });
  }

  say() {
    if (this.at === null) return;
    this.said.textContent = valuesAt(this.chart, this.at).map(({ name, said, text }) => [said ?? name, text].filter(Boolean).join(" ")).join(", ");
  }

  leave() {
    if (this.at === null) return;
    clearTimeout(this.waiting);
    this.at = null;
    this.said.textContent = "";
    this.chart.chart.clearCrosshairPosition();
    this.moved(null);
  }
}
