// What lies between two lines of an indicator, as a band or a cloud, and arrows at bars where a pattern is seen.

import { createSeriesMarkers } from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { areForced, colour } from "./colours.js";

const SOFT = 0.1;
const CLOUD = 0.16;

export class Fills {
  constructor(chart) {
    this.chart = chart;
    chart.chart.panes()[0].attachPrimitive(this);
  }

  attached({ requestUpdate }) {
    this.redraw = requestUpdate;
  }

  update() {
    this.redraw?.();
  }

  paneViews() {
    return areForced() ? [] : [this];
  }

  zOrder() {
    return "bottom";
  }

  renderer() {
    return { draw: (target) => target.useMediaCoordinateSpace(({ context }) => pairs(this.chart.lines.shown).forEach((pair) => this.fill(context, pair))) };
  }

  fill(context, [one, other]) {
    const scale = this.chart.chart.timeScale();
    const seen = scale.getVisibleLogicalRange();
    if (!seen) return;
    const { offset = 0 } = one;
    const from = Math.max(0, Math.floor(seen.from) - 1 - offset);
    const to = Math.min(one.values.length - 1, Math.ceil(seen.to) + 1 - offset);
    const isCloud = one.style === "cloud";
    let run = null;
    for (let at = from; at <= to + 1; at += 1) {
      const [top, bottom] = at <= to ? [one.values[at], other.values[at]] : [];
      const hue = isCloud ? (top >= bottom ? "up" : "down") : one.hue;
      const place = top != null && bottom != null ? { x: scale.logicalToCoordinate(at + offset), top: one.series.priceToCoordinate(top), bottom: one.series.priceToCoordinate(bottom) } : null;
      const goesOn = place && run?.hue === hue;
      if (run && !goesOn) {
        if (place) run.points.push(place); // the next begins where this one ends
        paint(context, run, isCloud ? CLOUD : SOFT);
      }
      if (!goesOn) run = place && { hue, points: [] };
      run?.points.push(place);
    }
  }
}

function paint(context, { hue, points }, alpha) {
  context.beginPath();
  for (const { x, top } of points) context.lineTo(x, top);
  for (const { x, bottom } of points.toReversed()) context.lineTo(x, bottom);
  context.fillStyle = colour(hue, alpha);
  context.fill();
}

/** The two lines of an indicator over the price that hold something between them. */
function pairs(lines) {
  const found = new Map();
  for (const line of lines) {
    const kind = line.style === "lower" ? "upper" : line.style;
    if (line.pane === "price" && line.series && (kind === "upper" || kind === "cloud")) found.set(`${line.key} ${kind}`, [...(found.get(`${line.key} ${kind}`) ?? []), line]);
  }
  return [...found.values()].filter(({ length }) => length === 2);
}

export class Marks {
  constructor(chart) {
    Object.assign(this, { chart, all: null });
  }

  clear() {
    this.all?.setMarkers([]);
  }

  show(lines) {
    const { times, main, bars } = this.chart;
    const marks = lines.filter(({ style }) => style === "marker").flatMap((line) =>
      line.values.flatMap((value, at) => (value && times[at + line.offset] != null ? [{ time: times[at + line.offset], text: this.chart.lines.nameOf(line), ...look(line.output === "swinghigh" ? -value : value) }] : [])));
    if (!marks.length && !this.all) return;
    if (this.on !== main) {
      this.clear();
      this.all = createSeriesMarkers(main, [], { zOrder: "top" });
      this.on = main;
    }
    const order = new Map(times.map((time, at) => [time, at]));
    marks.sort((one, other) => order.get(one.time) - order.get(other.time));
    // The legend names an only pattern; several tell themselves, unless they are everywhere.
    const isPlain = new Set(marks.map(({ text }) => text)).size < 2 || marks.length > bars.length / 12;
    this.all.setMarkers(isPlain ? marks.map((mark) => ({ ...mark, text: "" })) : marks);
  }
}

function look(value) {
  return value > 0
    ? { position: "belowBar", shape: "arrowUp", color: colour("up") }
    : { position: "aboveBar", shape: "arrowDown", color: colour("down") };
}
