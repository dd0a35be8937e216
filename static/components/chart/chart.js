// The chart: lightweight-charts in the colours of the tokens. The price on top, volume and every indicator of its own below.

import {
  AreaSeries, CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, PriceScaleMode, TickMarkType, TrackingModeExitMode,
} from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { compact, derived, percent, price } from "../../words/words.js";
import { areForced, colour, whenRecoloured } from "./colours.js";
import { Lines } from "./lines.js";
import { dayText, timeOf, zoneOf } from "./times.js";

export const SCALES = { linear: PriceScaleMode.Normal, log: PriceScaleMode.Logarithmic, percent: PriceScaleMode.Percentage };
// Shares of a pane's height: the legend above takes what it needs, and below a small chart stands whose work it is.
const MARGINS = { top: 0.12, bottom: 0.03 };
const SMALL_MARGINS = { top: 0.06, bottom: 0.17 };
const PANES = { price: 5, volume: 1, own: 1.2 };

export class Chart {
  /** `small` has the price and what lies over it alone, and does not move about. `Flags` marks days at the foot of the price. */
  constructor(element, { small = false, Flags = null } = {}) {
    Object.assign(this, { element, small, type: "candles", shown: null, decimals: 2, direction: "flat", levels: [] });
    this.lines = new Lines(this);
    this.chart = createChart(element, {
      autoSize: true,
      localization: { locale: document.documentElement.lang, dateFormat: "yyyy-MM-dd", percentageFormatter: percent },
      rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: small ? SMALL_MARGINS : MARGINS },
      timeScale: {
        borderVisible: false, fixLeftEdge: true, rightOffset: small ? 1 : 4, minBarSpacing: 0.02, tickMarkMaxCharacterLength: 6,
        // What was chosen stays in sight whatever room the labels of the prices take.
        lockVisibleTimeRangeOnResize: true,
        tickMarkFormatter: (time, kind) => this.mark(time, kind),
      },
      crosshair: { mode: CrosshairMode.Normal },
      // A finger that moves up or down moves the page; one that rests brings the crosshair.
      handleScroll: small ? false : { vertTouchDrag: false },
      handleScale: !small,
      trackingMode: { exitMode: TrackingModeExitMode.OnTouchEnd },
    });
    const priceFormat = { type: "custom", minMove: 0.01, formatter: (value) => this.label(value) };
    const autoscaleInfoProvider = (usual) => grounded(usual());
    this.candles = this.chart.addSeries(CandlestickSeries, { priceFormat, autoscaleInfoProvider });
    this.line = this.chart.addSeries(AreaSeries, { priceFormat, autoscaleInfoProvider, visible: false, lineWidth: 2 });
    if (!small) this.addVolume();
    this.flags = Flags && new Flags(this);
    if (Flags) this.chart.panes()[0].attachPrimitive(this.flags);
    this.dress();
    whenRecoloured(() => this.dress());
  }

  addVolume() {
    this.volume = this.chart.addSeries(HistogramSeries, { priceFormat: { type: "custom", minMove: 1, formatter: compact }, lastValueVisible: false, priceLineVisible: false }, 1);
    this.volume.priceScale().applyOptions({ entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0 } });
    this.share();
  }

  /** The series that the price is drawn by now. */
  get main() {
    return this.type === "candles" ? this.candles : this.line;
  }

  get bars() {
    return this.shown?.bars ?? [];
  }

  /** A price that was traded is told whole, one between the lines as a person reads it; below nothing only futures have one. */
  label(value) {
    if (value < 0 && !this.isBelowZero) return "";
    return value === this.bars.at(-1)?.close ? price(value, this.decimals) : derived(value, this.decimals);
  }

  /** A month too close to the one before leaves its place to a day, which so says its month; null: as the library has it. */
  mark(time, kind) {
    if (time < this.edge) return ""; // at the very edge it would be cut in two
    return kind === TickMarkType.DayOfMonth ? dayText(time) : null;
  }

  /** Nothing of a subject that is left stays: neither its bars nor its decimals. */
  clear() {
    this.shown = null;
    for (const series of [this.candles, this.line, this.volume]) series?.setData([]);
    this.lines.remove();
    this.flags?.show([]);
  }

  /** A history, or one gathered from it. `decimals` and `zone` are the symbol's own. */
  show(history, { decimals = 2, zone = "UTC" } = {}) {
    const { bars } = history;
    this.shown = history;
    this.isBelowZero = bars.some(({ low }) => low < 0);
    this.decimals = decimals;
    this.zone = zoneOf(history.interval, zone);
    this.times = bars.map((bar) => timeOf(bar, this.zone));
    const minMove = 10 ** -decimals;
    for (const series of [this.candles, this.line]) series.applyOptions({ priceFormat: { ...series.options().priceFormat, minMove } });
    this.chart.timeScale().applyOptions({ timeVisible: Boolean(this.zone) });
    this.draw();
    if (this.zone) this.shade();
    this.flags?.show(history.actions ?? []);
    this.showDirection(this.direction);
  }

  /** Bars of less than a day: where each day ends. */
  async shade() {
    const { Sessions } = await import("./sessions.js");
    if (this.sessions) return;
    this.sessions = new Sessions(this);
    this.chart.panes()[0].attachPrimitive(this.sessions);
  }

  draw() {
    const { bars, times } = this;
    this.candles.setData(bars.map((bar, at) => candle(times[at], bar)));
    this.line.setData(bars.map(({ close: value }, at) => ({ time: times[at], value })));
    this.volume?.setData(bars.map((bar, at) => this.volumeOf(times[at], bar)));
    this.lines.draw();
  }

  /** The same history, of which the last bar has moved or a new one stands behind it. */
  follow(history) {
    this.shown = history;
    this.moved();
  }

  moved() {
    const { bars, times } = this;
    const isNew = times.length < bars.length;
    if (isNew) times.push(timeOf(bars.at(-1), this.zone));
    const [bar, time] = [bars.at(-1), times.at(-1)];
    this.isBelowZero ||= bar.low < 0;
    this.candles.update(candle(time, bar));
    this.line.update({ time, value: bar.close });
    this.volume?.update(this.volumeOf(time, bar));
    this.lines.moved(isNew);
  }

  /** How the panes share the height. */
  share() {
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor([PANES.price, PANES.volume][at] ?? PANES.own));
  }

  /** Which indicators are left out, by key. */
  hide(keys) {
    this.lines.hidden = new Set(keys);
    if (this.shown) this.lines.draw();
  }

  /** Nothing is drawn within so many pixels of the upper edge. */
  keepFree(pixels) {
    const height = this.chart.panes()[0].getHeight();
    if (!height) return;
    this.main.priceScale().applyOptions({ scaleMargins: { ...MARGINS, top: Math.min(0.5, Math.max(MARGINS.top, (pixels + 4) / height)) } });
  }

  /** The tag and line of the newest price have the direction of the day's change, as all of the page has. */
  showDirection(direction) {
    this.direction = direction;
    const tint = colour(direction === "flat" ? "n6" : direction);
    for (const series of [this.candles, this.line]) series.applyOptions({ priceLineColor: tint });
  }

  /** candles, line or area. */
  showAs(type) {
    this.type = type;
    this.candles.applyOptions({ visible: type === "candles" });
    this.line.applyOptions({ visible: type !== "candles", ...this.lineLook() });
  }

  lineLook() {
    const soft = this.type === "area" && !areForced();
    return { lineColor: colour("accent"), topColor: colour("accent", soft ? 0.28 : 0), bottomColor: colour("accent", soft ? 0.02 : 0) };
  }

  /** linear, log or percent; `auto` is whether the scale follows what is seen. */
  scaleBy(scale, auto = true) {
    this.main.priceScale().applyOptions({ mode: SCALES[scale], autoScale: auto });
  }

  dress() {
    const [up, down] = [colour("up"), colour("down")];
    this.barColours = { up: colour("up", 0.34), down: colour("down", areForced() ? 1 : 0.34) };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("n1") }, textColor: colour("n7"), fontSize: 11,
        fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: true,
        panes: { separatorColor: colour("n4"), separatorHoverColor: colour("n5", 0.4), enableResize: !this.small },
      },
      grid: { vertLines: { visible: false }, horzLines: { color: colour("n4", this.small ? 0.4 : 0.55) } },
      crosshair: Object.fromEntries(["vertLine", "horzLine"].map((line) => [line, { color: colour("n6"), labelBackgroundColor: colour("n8"), width: 1 }])),
    });
    // Where there are no hues, a rise is hollow and a fall is filled.
    const hollow = areForced() ? colour("n1") : up;
    this.candles.applyOptions({ upColor: hollow, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: areForced(), borderUpColor: up, borderDownColor: down });
    this.line.applyOptions(this.lineLook());
    this.showDirection(this.direction);
    this.lines.remove();
    if (this.shown) this.draw();
  }

  showFrom(date) {
    const { bars } = this;
    if (!bars.length) return;
    const first = date ? Math.max(0, bars.findIndex((bar) => bar.session_date >= date)) : 0;
    if (this.small) this.edge = this.times[Math.min(first + Math.round((bars.length - first) / 25), bars.length - 1)];
    this.chart.timeScale().setVisibleLogicalRange({ from: first - 0.5, to: bars.length - 1 + (this.small ? 1 : Math.max(4, this.lines.ahead + 1)) });
  }

  volumeOf(time, bar) {
    return { time, value: bar.volume ?? 0, color: this.barColours[bar.close >= bar.open ? "up" : "down"] };
  }
}

/** Prices end at nothing: the axis keeps a few pixels below them, and never a share of their height. */
function grounded(usual) {
  return usual && { ...usual, margins: { above: 0, below: 6 } };
}

function candle(time, { open, high, low, close }) {
  return { time, open, high, low, close };
}
