// Other symbols beside the one that is shown, each a line on the same percent scale.

import { LineSeries } from "../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { colour, whenRecoloured } from "./colours.js";

// Hues that stand apart from each other and from what an indicator has.
const HUES = ["oscillator", "delayed", "live"];
export const MOST_COMPARED = HUES.length;

export class Compared {
  constructor(chart) {
    Object.assign(this, { chart, series: new Map() });
    whenRecoloured(() => this.dress());
  }

  /** `others`: by symbol, its bars of the same interval. Only days that the chart itself has are drawn. */
  show(others) {
    for (const [symbol, series] of this.series) {
      if (others.has(symbol)) continue;
      this.chart.chart.removeSeries(series);
      this.series.delete(symbol);
    }
    for (const [symbol, bars] of others) {
      if (!this.series.has(symbol)) this.series.set(symbol, this.add(symbol));
      const closes = new Map(bars.map((bar) => [bar.opened_at, bar.close]));
      this.series.get(symbol).setData(this.chart.bars.map(({ opened_at: opened }, at) => point(this.chart.times[at], closes.get(opened))));
    }
    this.dress();
  }

  add(symbol) {
    return this.chart.chart.addSeries(LineSeries, { title: symbol, lineWidth: 2, priceLineVisible: false, priceFormat: this.chart.candles.options().priceFormat });
  }

  dress() {
    [...this.series.values()].forEach((series, at) => series.applyOptions({ color: colour(HUES[at % HUES.length]) }));
  }
}

function point(time, value) {
  return value === undefined ? { time } : { time, value };
}
