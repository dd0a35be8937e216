// Levels and trend lines of one symbol: what they are, and how they are drawn. They are kept as prices of the day they were
// drawn on, so that a split that came later moves them with the bars.

import { LineStyle } from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { colour } from "./colours.js";

export const MOST = 30;
const NEAR = 7;
const KNOB = 4;

export class Drawings {
  constructor(chart) {
    Object.assign(this, { chart, kept: [], selected: null, draft: null, lines: new Map() });
    chart.chart.panes()[0].attachPrimitive(this);
  }

  attached({ requestUpdate }) {
    this.redraw = requestUpdate;
  }

  /** Those of the symbol that is shown: [{id, kind, on, points: [{at, price}, …]}]; a level has one point, a trend two. */
  show(kept) {
    this.kept = kept;
    if (!kept.some(({ id }) => id === this.selected)) this.selected = null;
    this.update();
  }

  /** Prices and colours as they are now: after splits, another type of chart, another theme. */
  update() {
    for (const [, { series, line }] of this.lines) series.removePriceLine(line);
    this.lines.clear();
    for (const drawing of this.all()) if (drawing.kind === "level" && this.chart.bars.length) this.lines.set(drawing.id, this.level(drawing));
    this.redraw?.();
  }

  level(drawing) {
    const { main: series } = this.chart;
    const line = series.createPriceLine({
      price: this.now(drawing, drawing.points[0].price), color: colour("accent"), lineStyle: LineStyle.Solid,
      lineWidth: drawing.id === this.selected ? 2 : 1, axisLabelVisible: true,
    });
    return { series, line };
  }

  all() {
    return this.draft ? [...this.kept.filter(({ id }) => id !== this.draft.id), this.draft] : this.kept;
  }

  /** A price of the day it was drawn on, as it reads after the splits since then. */
  now({ on }, price) {
    const splits = (this.chart.shown?.actions ?? []).filter(({ kind, ex_date: date }) => kind === "split" && date > on);
    return splits.reduce((value, { value: ratio }) => value / ratio, price);
  }

  /** Where a drawing's points lie in the pane: [[x, y], …], null where one lies before all bars. */
  places(drawing) {
    const { bars, main, chart } = this.chart;
    const places = drawing.points.map(({ at, price }) => {
      const place = at === undefined ? 0 : bars.findLastIndex(({ opened_at: opened }) => opened <= at);
      return [chart.timeScale().logicalToCoordinate(place), main.priceToCoordinate(this.now(drawing, price)), place];
    });
    return places.some(([x, y, place]) => x == null || y == null || place < 0) ? null : places;
  }

  /** The drawing under a point of the pane, and which of its ends is held: {drawing, end}. */
  under(x, y) {
    for (const drawing of this.kept.toReversed()) {
      const places = this.places(drawing);
      if (!places) continue;
      const end = drawing.kind === "trend" ? places.findIndex(([px, py]) => Math.hypot(px - x, py - y) <= NEAR + KNOB) : 0;
      const away = drawing.kind === "level" ? Math.abs(places[0][1] - y) : distance(places, x, y);
      if (end >= 0 && drawing.kind === "trend") return { drawing, end };
      if (away <= NEAR) return { drawing, end: drawing.kind === "level" ? 0 : null };
    }
    return null;
  }

  paneViews() {
    return [this];
  }

  zOrder() {
    return "top";
  }

  renderer() {
    return { draw: (target) => target.useMediaCoordinateSpace(({ context }) => this.draw(context)) };
  }

  draw(context) {
    context.strokeStyle = context.fillStyle = colour("accent");
    for (const drawing of this.all()) {
      const places = drawing.kind === "trend" && drawing.points.length === 2 && this.places(drawing);
      if (!places) continue;
      const [[x1, y1], [x2, y2]] = places;
      context.lineWidth = drawing.id === this.selected ? 2.5 : 1.5;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      if (drawing.id !== this.selected && drawing !== this.draft) continue;
      for (const [x, y] of places) {
        context.beginPath();
        context.arc(x, y, KNOB, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
}

/** From a point to the line between two others. */
function distance([[x1, y1], [x2, y2]], x, y) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const share = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x1 + share * dx - x, y1 + share * dy - y);
}
