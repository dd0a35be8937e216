// Lines that are more than a line: histograms, candles, dots, steps, dashes, what a direction colours, what lies ahead of the
// bars, over their volume, and what stands between two lines or at a bar. It comes where there is any.

import { CandlestickSeries, HistogramSeries, LineStyle, LineType } from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { areForced, colour } from "./colours.js";
import { Fills, Marks } from "./fills.js";

export class Styled {
  constructor(lines) {
    Object.assign(this, { lines, fills: new Fills(lines.owner), marks: new Marks(lines.owner) });
  }

  clear() {
    this.marks.clear();
  }

  update() {
    this.fills.update();
    this.marks.show(this.lines.shown);
  }

  /** What a line takes from others of its indicator: which way it goes, and the rest of its candles. */
  relate() {
    const { shown } = this.lines;
    for (const line of shown) {
      const others = shown.filter((other) => other.key === line.key && other !== line);
      line.direction = others.find(({ style }) => style === "direction")?.values;
      line.parts = line.style === "candle" && line.isFirst ? others : null;
    }
  }

  timesBehind(wanted) {
    return timesBehind(this.lines.owner.shown, Math.max(0, ...wanted.map(({ offset }) => offset)));
  }

  /** By which kind of series a line is drawn, null where by none, and how that looks. */
  kind({ style, isFirst }) {
    if (style === "marker" || style === "direction" || (style === "candle" && !isFirst)) return { Kind: null };
    if (style === "histogram") return { Kind: HistogramSeries };
    if (style === "candle") return { Kind: CandlestickSeries, look: candleLook() };
    if (style === "dots") return { look: { lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 1.6 } };
    if (style === "steps") return { look: { lineWidth: 1, lineType: LineType.WithSteps } };
    return style === "dashed" ? { look: { lineWidth: 1, lineStyle: LineStyle.Dashed } } : {};
  }

  /** Where a value is not told as any line's would be. */
  point({ values, style, direction, parts }, at, time) {
    const value = values[at];
    if (parts) return { time, open: value, high: parts[0].values[at], low: parts[1].values[at], close: parts[2].values[at] };
    if (style === "histogram") return { time, value, color: colour(value < 0 ? "down" : "up", areForced() ? 1 : 0.5) };
    if (style === "dots") return { time, value };
    if (direction && values[at + 1] != null) return { time, value, color: colour(direction[at] < 0 ? "down" : "up") };
    return null;
  }
}

function candleLook() {
  const [up, down] = [colour("up"), colour("down")];
  return { upColor: areForced() ? colour("n1") : up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: areForced(), borderUpColor: up, borderDownColor: down };
}

const AHEAD = { "1d": weekdayAfter, "1wk": (date) => daysAfter(date, 7), "1mo": monthAfter };

/** So many times behind the last bar, for what is drawn ahead of it: weekdays, weeks or months, whose holidays nobody asks for. */
function timesBehind({ bars, interval }, many) {
  const after = AHEAD[interval];
  const times = [];
  for (let date = bars.at(-1)?.session_date; after && date && times.length < many; ) times.push((date = after(date)));
  return times;
}

function daysAfter(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

function weekdayAfter(date) {
  const day = new Date(`${date}T00:00:00Z`).getUTCDay();
  return daysAfter(date, day === 5 ? 3 : day === 6 ? 2 : 1);
}

function monthAfter(date) {
  return `${daysAfter(`${date.slice(0, 8)}01`, 31).slice(0, 8)}01`;
}
