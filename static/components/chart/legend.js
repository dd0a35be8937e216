// The legend over the chart: every value of the bar under the crosshair, or of the last one.

import { compact, direction, percent, price, word } from "../../words/words.js";
import { reserve, widest } from "../steady.js";
import { figure, sizeOf } from "./lines.js";
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
    chart.element.addEventListener("pointermove", ({ buttons }) => buttons && requestAnimationFrame(() => this.place())); // a pane is pulled
  }

  /** The prices begin below it. What a bar under the crosshair has beyond the others moves nothing. */
  makeRoom() {
    this.place();
    if (this.element.hidden || this.at !== null) return;
    this.chart.keepFree(this.element.offsetTop + this.element.offsetHeight);
  }

  show() {
    const { bars } = this.chart;
    this.element.hidden = !bars.length;
    if (!bars.length) return;
    const values = valuesAt(this.chart, this.at ?? bars.length - 1);
    this.element.replaceChildren(...values.filter(({ pane }) => !pane).map(part), ...this.below(values));
  }

  /** What has a pane of its own is told there. */
  below(values) {
    requestAnimationFrame(() => this.place()); // panes that have just come get their height with the next frame
    return [...this.chart.lines.tops()].map(([key, top]) => {
      const box = Object.assign(document.createElement("span"), { className: "of-pane" });
      box.dataset.of = key;
      box.style.top = `${top}px`;
      box.append(...values.filter(({ pane }) => pane === key).map(part));
      return box;
    });
  }

  place() {
    const tops = this.chart.lines.tops();
    for (const box of this.element.querySelectorAll(".of-pane")) box.style.top = `${tops.get(box.dataset.of)}px`;
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
    ...chart.lines.shown.filter(isTold).map((line) => ({
      name: chart.lines.nameOf(line), said: line.label, text: figure(line, line.values[at - line.offset], decimals), kind: "line", hue: hueOf(line, at - line.offset),
      pane: line.pane === "own" ? line.key : "",
      room: line.style === "marker" ? "" : figure(line, line.unit === "price" && line.pane === "price" ? size : sizeOf(line) * 1.5, decimals).replace(/\d/g, "0"),
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

function hueOf({ style, hue, direction, values }, at) {
  if (style === "marker" || style === "candle") return "n1";
  if (style === "histogram" || direction) return (direction ?? values)[at] < 0 ? "down" : "up";
  return hue;
}

/** A pattern is told of the bars on which it is seen; what colours another line is that line's. */
export function isTold({ style }) {
  return style !== "direction";
}

function part({ name, text, kind = "", room = "", hue }) {
  const element = Object.assign(document.createElement("span"), { className: kind === "line" ? kind : "" });
  if (name) element.append(Object.assign(document.createElement("span"), { className: "name", textContent: name }), " ");
  if (hue) element.style.setProperty("--key", `var(--${hue})`);
  const value = Object.assign(document.createElement("b"), { textContent: text });
  if (kind === "up" || kind === "down") value.className = kind;
  if (room) reserve(value, [room]);
  element.append(value);
  return element;
}
