// A strip of bars over time: what stood in each span stacked from below, the newest at the right. It draws with rectangles
// of its own units, so that it takes any width; a list of the same numbers is there for who does not see it.

import { make } from "./element.js";
import { svg } from "./drawing.js";

const [BAR, GAP, HEIGHT] = [8, 2, 40];

export class Strip {
  /**
   * `series`: [name, …] from below, each a class of the bars; `say(span)` words one span for the pointer and the list;
   * `label`: what the strip shows. `chosen(span)`, if given, is called with a span that was pressed.
   */
  constructor(box, { series, say, label, chosen = null }) {
    Object.assign(this, { box, series, say, chosen, bars: [], spans: [] });
    this.drawing = svg("svg", { class: "strip-bars", preserveAspectRatio: "none", role: "img", "aria-label": label });
    this.words = make("ol", { className: "visually-hidden" });
    this.tip = make("p", { className: "strip-tip", attributes: { "aria-hidden": "true" } });
    box.classList.add("strip");
    box.replaceChildren(this.drawing, this.tip, this.words);
    this.drawing.addEventListener("pointermove", (event) => this.point(event));
    this.drawing.addEventListener("pointerleave", () => (this.tip.textContent = ""));
    if (chosen) this.drawing.addEventListener("click", (event) => this.at(event) && chosen(this.at(event)));
  }

  /** `spans`: oldest first, each with a number for every series. */
  show(spans) {
    this.spans = spans;
    const most = Math.max(1, ...spans.map((span) => this.series.reduce((sum, name) => sum + span[name], 0)));
    this.drawing.setAttribute("viewBox", `0 0 ${spans.length * (BAR + GAP) - GAP} ${HEIGHT}`);
    while (this.bars.length < spans.length) this.bars.push(this.drawing.appendChild(this.blank()));
    while (this.bars.length > spans.length) this.bars.pop().remove();
    spans.forEach((span, place) => this.draw(this.bars[place], span, place * (BAR + GAP), most));
    const told = spans.filter((span) => this.series.some((name) => span[name]));
    this.words.replaceChildren(...told.map((span) => make("li", { textContent: this.say(span) })));
  }

  blank() {
    const group = svg("g");
    group.append(svg("rect", { class: "ground", width: BAR, height: HEIGHT }), ...this.series.map((name) => svg("rect", { class: name, width: BAR })));
    return group;
  }

  draw(group, span, x, most) {
    const [ground, ...parts] = group.children;
    ground.setAttribute("x", x);
    let top = HEIGHT;
    this.series.forEach((name, place) => {
      const height = span[name] ? Math.max(2, (span[name] / most) * (HEIGHT - 2)) : 0; // one of a thousand is seen too
      top = Math.max(0, top - height);
      Object.entries({ x, y: top, height }).forEach(([key, value]) => parts[place].setAttribute(key, value));
    });
  }

  at(event) {
    const { left, width } = this.drawing.getBoundingClientRect();
    return this.spans[Math.min(this.spans.length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * this.spans.length)))];
  }

  point(event) {
    const span = this.at(event);
    if (span) this.tip.textContent = this.say(span);
  }
}
