// A sparkline: closes as one line, filled below; its last point is the price now. What it spans is told on hover.

import { svg } from "./drawing.js";
import { price, word } from "../words/words.js";

const [WIDTH, HEIGHT] = [96, 24];

export class Sparkline {
  constructor(box) {
    this.box = box;
    this.drawing = svg("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.drawing.append(svg("path", { class: "area" }), svg("path", {}), svg("circle", { r: 1.8 }));
    box.append(this.drawing);
  }

  /** `values` oldest first; fewer than two are no line. */
  show(values, decimals) {
    this.drawing.style.visibility = values.length < 2 ? "hidden" : "visible";
    if (values.length < 2) return;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const x = (index) => 2 + (index * (WIDTH - 5)) / (values.length - 1);
    const y = (value) => HEIGHT - 3 - (high > low ? (value - low) / (high - low) : 0.5) * (HEIGHT - 6);
    const line = values.map((value, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const [area, stroke, end] = this.drawing.children;
    stroke.setAttribute("d", line);
    area.setAttribute("d", `${line}V${HEIGHT}H${x(0)}Z`);
    end.setAttribute("cx", x(values.length - 1).toFixed(1));
    end.setAttribute("cy", y(values.at(-1)).toFixed(1));
    const of = (value) => price(value, decimals);
    const said = word("sparkline", { n: values.length, from: of(values[0]), to: of(values.at(-1)), low: of(low), high: of(high) });
    this.drawing.setAttribute("aria-label", said);
    if (this.box.title !== said) this.box.title = said;
  }
}
