// The pane beside the watchlist: the chosen symbol's price, a small chart, and its figures.

import { Chart } from "./chart.js";
import { showFigures, showRecords } from "./figures.js";
import { setText } from "./frame.js";
import { history, rangeStart } from "./history.js";
import { decimalsOf, direction, percent, price, signed } from "./words.js";

const BARS = 90;

export class Pane {
  constructor(element) {
    this.element = element;
    this.parts = Object.fromEntries(
      ["symbol", "name", "open", "price", "change", "chart", "figures", "records"].map((name) => [name, element.querySelector(`[data-pane-${name}]`)]),
    );
    this.kept = new Map();
  }

  show(row) {
    this.row = row;
    setText(this.parts.symbol, row.symbol);
    setText(this.parts.name, row.name);
    this.parts.open.href = `/symbols/${encodeURIComponent(row.symbol)}/`;
    this.changed(row.symbol);
    this.draw();
  }

  changed(symbol) {
    if (symbol !== this.row?.symbol) return;
    const { quote, price_decimals: decimals } = this.row;
    this.element.dataset.direction = direction(quote?.change);
    setText(this.parts.price, price(quote?.current_price, decimals));
    this.parts.change.className = "signed";
    setText(this.parts.change, quote?.change == null ? "" : `${signed(quote.change, decimalsOf(quote.current_price, decimals))} (${percent(quote.change_percent)})`);
    showFigures(this.parts.figures, this.row);
    showRecords(this.parts.records, this.row);
  }

  takeBar(bar) {
    const found = this.kept.get(bar.symbol);
    if (!found) return;
    if (this.shown === bar.symbol) {
      if (!this.chart.move(bar)) this.kept.delete(bar.symbol);
    } else if (bar.session_date > found.bars.at(-1)?.session_date) found.bars.push(bar);
    else if (bar.session_date === found.bars.at(-1)?.session_date) found.bars[found.bars.length - 1] = bar;
  }

  /** Read everything again: the stream had a hole, or began anew. */
  reload() {
    this.kept.clear();
    this.draw();
  }

  async draw() {
    const { symbol, price_decimals: decimals } = this.row;
    if (!this.kept.has(symbol)) {
      const found = await history(symbol, { period: "6mo", limit: BARS }).catch(() => null);
      if (found) this.kept.set(symbol, found);
    }
    const found = this.kept.get(symbol);
    if (this.row.symbol !== symbol || !found?.bars.length) return;
    this.chart ??= new Chart(this.parts.chart, { decimals, small: true });
    this.shown = symbol;
    this.chart.show(found.bars, found.average, found.oscillator);
    this.chart.showFrom(rangeStart("3M", found.bars.at(-1).session_date));
  }
}
