// The legend over the chart: every value of the bar under the crosshair, or of the last one.

import { compact, derived, direction, percent, price, word } from "../../words/words.js";
import { reserve, widest } from "../steady.js";
import { timeText } from "./times.js";

export class Legend {
  constructor(element, chart) {
    Object.assign(this, { element, chart, at: null, isHeld: false });
    chart.chart.subscribeCrosshairMove(({ logical, time, sourceEvent: hand }) => {
      if (this.isHeld && !hand) return; // it stands at a bar by the keys, and what is at a pixel changes below it
      this.at = time == null ? null : logical;
      this.show();
    });
    const watch = new ResizeObserver(() => this.makeRoom());
    for (const each of [element, chart.element]) watch.observe(each);
  }

  /** The prices begin below it. What a bar under the crosshair has beyond the others moves nothing. */
  makeRoom() {
    if (this.element.hidden || this.at !== null) return;
    this.chart.keepFree(this.element.offsetTop + this.element.offsetHeight);
  }

  show() {
    const { bars } = this.chart;
    this.element.hidden = !bars.length;
    if (!bars.length) return;
    this.element.replaceChildren(...valuesAt(this.chart, this.at ?? bars.length - 1).map(({ name, text, kind, room }) => part(name, text, kind, room)));
  }
}

/** All that is known of a bar: [{name, said, text, kind, room}]; `said` is its name for the ear where that is another,
 * `room` the widest that the text becomes while the bar moves. */
export function valuesAt(chart, place) {
  const { bars, decimals, zone } = chart;
  const at = Math.min(Math.max(0, Math.round(place)), bars.length - 1);
  const bar = bars[at];
  const of = (value) => price(value, decimals);
  const size = highest(bars);
  const change = changeOf(bars, at);
  return [
    { name: "", text: timeText(bar, zone) },
    ...["open", "high", "low", "close"].map((key) => ({ name: word(key[0]), said: columnName(key), text: of(bar[key]), room: widest(size, decimals) })),
    { name: "", text: percent(change), kind: direction(change), room: "−00.00%" },
    { name: word("v"), said: columnName("volume"), text: compact(bar.volume), room: compact(bar.volume ?? bars[at - 1]?.volume).replace(/[\d.,]+/, "0000.0") },
    ...chart.lines.map(({ label, name, pane, values }) => ({
      name: label, text: pane === "own" ? price(values[at], 1) : derived(values[at], decimals), kind: `line ${name}`,
      room: pane === "own" ? "000.0" : widest(size, size >= 10 ? Math.min(2, decimals) : decimals),
    })),
    ...chart.flags.of(at).map((text) => ({ name: "", text })),
  ];
}

/** In percent of the close before; null where that is not known, or was nothing or less. */
export function changeOf(bars, at) {
  const before = bars[at - 1]?.close;
  return before > 0 ? Number(((bars[at].close / before - 1) * 100).toFixed(2)) : null;
}

/** What a value of a bar is called in full. */
export function columnName(name) {
  return word(`column${name[0].toUpperCase()}${name.slice(1)}`);
}

const tops = new WeakMap();

/** The highest of these bars, which is looked for once; the last may rise above it. */
function highest(bars) {
  const known = tops.get(bars) ?? bars.reduce((most, { high }) => Math.max(most, high), 0);
  tops.set(bars, Math.max(known, bars.at(-1).high));
  return tops.get(bars);
}

function part(name, value, kind = "", room = "") {
  const element = Object.assign(document.createElement("span"), { className: kind.startsWith("line") ? kind : "", textContent: name ? `${name} ` : "" });
  const figure = Object.assign(document.createElement("b"), { textContent: value });
  if (kind === "up" || kind === "down") figure.className = kind;
  if (room) reserve(figure, [room]);
  element.append(figure);
  return element;
}
