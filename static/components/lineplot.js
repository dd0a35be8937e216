// A small line plot of a figure over time: legible axes, a mark with its value under the pointer, the finger or the arrow
// keys. It takes the width and height that its box has.
//
//   const plot = new LinePlot(box, { label: "Messages a second", say: (value) => count(value, 1) });
//   plot.show([{ at: milliseconds, value: number or null }, …]);   oldest first; null leaves a hole

import { make } from "./element.js";
import { svg } from "./drawing.js";
import { clock, word } from "../words/words.js";

const PAD = { top: 8, right: 6, bottom: 18 };
const CHARACTER = 7; // px of a digit, for the room that the values need
const EACH_TICK = 30; // px between two values of the axis at least
const EACH_TIME = 90;

export class LinePlot {
  constructor(box, { label, say }) {
    Object.assign(this, { box, say, label, points: [], at: null });
    this.drawing = svg("svg", { class: "lineplot-drawing", "aria-hidden": "true" });
    this.tip = make("p", { className: "lineplot-tip", attributes: { "aria-hidden": "true" } });
    box.classList.add("lineplot");
    box.tabIndex = 0;
    box.role = "slider"; // the arrow keys move a mark along the points, and its value is read out
    box.ariaLabel = label;
    box.replaceChildren(this.drawing, this.tip);
    box.addEventListener("pointermove", ({ clientX }) => this.mark(this.nearest(clientX - box.getBoundingClientRect().left)));
    for (const leaves of ["pointerleave", "blur"]) box.addEventListener(leaves, () => this.mark(null));
    box.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(points) {
    this.points = points;
    if (this.at !== null) this.at = Math.min(this.at, points.length - 1);
    this.draw();
  }

  draw() {
    const { points, box } = this;
    const [width, height] = [box.clientWidth, box.clientHeight];
    const known = points.filter(({ value }) => value != null);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (!known.length || !width || !height) {
      this.drawing.replaceChildren();
      this.tell();
      return;
    }
    const values = ticks(Math.min(...known.map(({ value }) => value)), Math.max(...known.map(({ value }) => value)), Math.max(2, Math.floor(height / EACH_TICK)));
    const left = Math.max(...values.map((value) => this.say(value).length)) * CHARACTER + 6;
    const [first, last] = [points[0].at, points.at(-1).at];
    const [low, high] = [values[0], values.at(-1)];
    this.x = (at) => left + ((at - first) / (last - first || 1)) * (width - left - PAD.right);
    this.y = (value) => PAD.top + (1 - (value - low) / (high - low)) * (height - PAD.top - PAD.bottom);
    this.drawing.replaceChildren(...this.grid(values, left, width), ...this.times(first, last, left, width, height), svg("path", { class: "line", d: this.path() }));
    this.tell();
  }

  grid(values, left, width) {
    return values.flatMap((value) => {
      const y = this.y(value);
      const text = svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" });
      text.textContent = this.say(value);
      return [svg("line", { class: "grid", x1: left, x2: width - PAD.right, y1: y, y2: y }), text];
    });
  }

  times(first, last, left, width, height) {
    const many = Math.max(1, Math.min(Math.floor((width - left) / EACH_TIME), Math.floor((last - first) / 1000)));
    const shown = last > first ? Array.from({ length: many + 1 }, (_, place) => first + (place * (last - first)) / many) : [last];
    return shown.map((at, place) => {
      const anchor = place === shown.length - 1 ? "end" : place ? "middle" : "start";
      const text = svg("text", { x: anchor === "end" ? width - PAD.right : this.x(at), y: height - 3, "text-anchor": anchor });
      text.textContent = clock(at);
      return text;
    });
  }

  /** The line, and a dot where a point stands alone. */
  path() {
    let isOn = false;
    return this.points.map(({ at, value }, place) => {
      const wasOn = isOn;
      isOn = value != null;
      if (!isOn) return "";
      const isAlone = !wasOn && this.points[place + 1]?.value == null;
      return `${wasOn ? "L" : "M"}${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}${isAlone ? "h0.1" : ""}`;
    }).join("");
  }

  nearest(x) {
    if (!this.points.length || !this.x) return null;
    return this.points.reduce((best, { at }, place) => (Math.abs(this.x(at) - x) < Math.abs(this.x(this.points[best].at) - x) ? place : best), 0);
  }

  press(event) {
    const last = this.points.length - 1;
    const from = this.at ?? last;
    const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, Escape: null };
    if (!(event.key in steps) || last < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.mark(steps[event.key] === null ? null : Math.min(Math.max(0, steps[event.key]), last));
  }

  mark(place) {
    this.at = place;
    this.tell();
  }

  tell() {
    const last = this.points.length - 1;
    const point = this.points[this.at ?? last];
    this.drawing.querySelector(".mark")?.remove();
    this.box.ariaValueMin = "0";
    this.box.ariaValueMax = String(Math.max(0, last));
    this.box.ariaValueNow = String(Math.max(0, this.at ?? last));
    const text = point ? `${clock(point.at)} · ${point.value == null ? "–" : this.say(point.value)}` : word("nothingHere");
    this.box.ariaValueText = text;
    this.tip.textContent = this.at === null ? "" : text;
    if (this.at === null || point?.value == null || !this.x) return;
    const x = this.x(point.at);
    this.drawing.append(svg("circle", { class: "mark", cx: x, cy: this.y(point.value), r: 3.5 }));
    this.tip.classList.toggle("at-left", x > this.box.clientWidth / 2);
  }
}

/** Round values from below the least to above the most, at most so many. */
export function ticks(least, most, many) {
  const span = most - least || Math.abs(most) || 1;
  const rough = span / Math.max(1, many - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const times of [1, 2, 5, 10, 20, 50]) {
    const step = times * power;
    const [from, to] = [Math.floor(least / step + 1e-9), Math.ceil(most / step - 1e-9)];
    const end = Math.max(to, from + 1);
    if (end - from + 1 <= Math.max(2, many)) return Array.from({ length: end - from + 1 }, (_, place) => Number(((from + place) * step).toPrecision(12)));
  }
  return [least, most === least ? least + 1 : most];
}
