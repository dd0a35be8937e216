// What is computed of the bars, drawn over the price, over its volume, or in panes of their own below, as each line says of
// itself: `style`, `levels`, `unit` and by how many bars it lies `offset`. What is more than a line comes where there is any.

import { LineSeries, LineStyle } from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { compact, derived, price } from "../../words/words.js";
import { brought } from "./brought.js";
import { colour } from "./colours.js";

/** Tokens, in the order in which what is chosen takes them. */
export const HUES = ["average", "oscillator", "teal", "pink", "olive", "sky", "brick"];
const QUIET = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };

export class Lines {
  constructor(owner) {
    Object.assign(this, { owner, shown: [], behind: [], hidden: new Set(), names: null, styled: null, came() {} });
  }

  /** Those that are seen, in order. */
  wanted() {
    const { shown, small } = this.owner;
    const wanted = (shown?.lines ?? []).filter(({ key, pane }) => !this.hidden.has(key) && !(small && pane !== "price"));
    if (this.styled || wanted.every(isPlain)) return wanted;
    this.bring();
    return wanted.filter(isPlain);
  }

  /** Once what draws the others has come, all are drawn. */
  async bring() {
    const { Styled } = await (this.coming ??= brought(import("./styled.js")));
    if (!Styled || this.styled) return;
    this.styled = new Styled(this);
    if (this.owner.shown) this.draw();
    this.came();
  }

  remove() {
    this.owner.chart.clearCrosshairPosition(); // a pane that goes must not hold it
    this.styled?.clear();
    for (const { series } of this.shown) if (series) this.owner.chart.removeSeries(series);
    this.shown = [];
    // Panes that were left empty go, from below.
    const panes = this.owner.chart.panes();
    for (let at = panes.length - 1; at > (this.owner.volume ? 1 : 0); at -= 1) this.owner.chart.removePane(at);
  }

  draw() {
    const wanted = this.wanted();
    const isSame = wanted.length === this.shown.length && wanted.every(({ key, output, hue }, at) => key === this.shown[at].key && output === this.shown[at].output && hue === this.shown[at].hue);
    if (!isSame) {
      this.remove();
      const panes = new Map();
      this.shown = wanted.map((line) => ({ ...line, series: this.add(line, panes) }));
      this.owner.share();
      this.owner.element.parentElement.style.setProperty("--below", Math.max(0, panes.size - 1));
    }
    this.behind = this.styled?.timesBehind(wanted) ?? [];
    wanted.forEach(({ values }, at) => (this.shown[at].values = values));
    this.styled?.relate();
    for (const line of this.shown) {
      line.last = line.values.findLastIndex((value) => value != null);
      line.series?.setData(this.points(line));
    }
    this.styled?.update();
  }

  /** The last bar has moved, or a new one begun. */
  moved(isNew) {
    const wanted = this.wanted();
    if (wanted.length !== this.shown.length || (isNew && this.behind.length)) {
      this.draw(); // what lies ahead of the bars lies elsewhere now
      return;
    }
    wanted.forEach(({ values }, at) => (this.shown[at].values = values));
    for (const line of this.shown) {
      const at = line.values.length - 1;
      const time = this.timeAt(at + (line.offset ?? 0));
      if (line.series && time != null) line.series.update(this.point(line, at, time));
    }
    this.styled?.update();
  }

  timeAt(at) {
    return this.owner.times[at] ?? this.behind[at - this.owner.times.length];
  }

  points(line) {
    const { values, offset = 0 } = line;
    const points = [];
    for (let at = Math.max(0, -offset); at < values.length; at += 1) {
      const time = this.timeAt(at + offset);
      if (time != null) points.push(this.point(line, at, time));
    }
    return points;
  }

  /** A bar without a value is a gap: the line to the next one that has one is not seen. */
  point(line, at, time) {
    const value = line.values[at];
    if (value == null) return { time };
    const styled = this.styled?.point(line, at, time);
    if (styled) return styled;
    return { time, value, ...(line.values[at + 1] == null && at < line.last && { color: "transparent" }) };
  }

  add(line, panes) {
    const { hue, pane, key, levels } = line;
    const { Kind = LineSeries, look = {} } = this.styled?.kind(line) ?? {};
    if (!Kind) return null;
    const { chart, small, candles } = this.owner;
    const priceFormat = pane === "price" ? candles.options().priceFormat : { type: "custom", minMove: 1e-8, formatter: (value) => figure(line, value, this.owner.decimals) };
    if (pane === "own" && !panes.has(key)) panes.set(key, Math.max(chart.panes().length, 2));
    const isFirst = pane === "own" && line.isFirst;
    const autoscaleInfoProvider = isFirst && levels.length > 1 && { autoscaleInfoProvider: (usual) => withLevels(usual(), levels) };
    const lineWidth = small || line.isBand ? 1 : pane === "own" ? 1.5 : 2;
    const series = chart.addSeries(Kind, { ...QUIET, color: colour(hue), lineWidth, lastValueVisible: isFirst, priceFormat, ...look, ...autoscaleInfoProvider }, { price: 0, volume: 1 }[pane] ?? panes.get(key));
    if (isFirst) {
      series.priceScale().applyOptions({ entireTextOnly: true, scaleMargins: { top: 0.3, bottom: 0.08 } });
      for (const level of levels) series.createPriceLine({ price: level, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: false, color: colour("n5") });
    }
    return series;
  }

  /** What a line is called beside others of its indicator, once the catalogue has come; before that by its code. */
  nameOf({ name, output, isFirst, brief, style }) {
    const entry = this.names?.get(name);
    if (!entry || (isFirst && style !== "marker")) return brief;
    return entry.outputs.find((each) => each.name === output)?.title ?? brief;
  }

  /** How many bars ahead of the last one something is drawn. */
  get ahead() {
    return this.behind.length;
  }

  /** By how many pixels from the top each pane of an indicator begins: [{key, top}]. */
  tops() {
    const tops = new Map();
    let top = 0;
    for (const [place, pane] of this.owner.chart.panes().entries()) {
      for (const { key, series } of this.shown) if (place > 1 && series?.getPane().paneIndex() === place) tops.set(key, top);
      top += pane.getHeight() + 1;
    }
    return tops;
  }
}

function isPlain({ style, offset, pane }) {
  return style === "line" && !offset && pane !== "volume";
}

/** An oscillator is seen against its levels. */
function withLevels(usual, levels) {
  if (!usual?.priceRange) return usual;
  const { minValue, maxValue } = usual.priceRange;
  return { ...usual, priceRange: { minValue: Math.min(minValue, ...levels), maxValue: Math.max(maxValue, ...levels) } };
}

/** A value as its unit is read: prices in the decimals of the symbol, percent, counts of shares, or by its size. */
export function figure(line, value, decimals) {
  if (value == null) return "–";
  if (line.unit === "price") return derived(value, Math.abs(value) < 0.1 ? Math.max(4, decimals) : decimals);
  if (line.unit === "percent") return `${price(value, 2)}%`;
  if (line.unit === "volume") return compact(value);
  if (line.style === "marker") return value > 0 ? "▲" : value < 0 ? "▼" : "–";
  return price(value, decimalsOf(line));
}

const sizes = new WeakMap();

/** The largest of a line, which is looked for once. */
export function sizeOf({ values }) {
  if (!sizes.has(values)) sizes.set(values, values.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0));
  return sizes.get(values);
}

function decimalsOf(line) {
  const size = sizeOf(line);
  return size >= 20 ? 1 : size >= 1 ? 2 : size >= 0.01 || !size ? 4 : 8;
}
