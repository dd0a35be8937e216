// The pane beside the watchlist: the chosen symbol's price, a small chart, and its figures.

import { corrected, history, INTERVAL, rangeStart, takeBar } from "../../components/chart/history.js";
import { dayChange } from "../../components/change.js";
import { showFigures, showRecords } from "../../components/figures.js";
import { setText } from "../../components/frame.js";
import { Panel } from "../../components/panel.js";
import { reserveFigure } from "../../components/steady.js";
import { direction, price, word } from "../../words/words.js";

const BARS = 90;
const REST = 140; // a row that keys only pass is not read

export class Pane {
  constructor(element) {
    this.element = element;
    this.parts = Object.fromEntries(
      ["symbol", "name", "open", "price", "change", "chart", "figures", "records"].map((name) => [name, element.querySelector(`[data-pane-${name}]`)]),
    );
    this.kept = new Map();
    this.came = []; // bars, while the history that may lack them is on its way
    this.panel = new Panel(this.parts.chart, {
      read: async (symbol, signal) => {
        this.came = [];
        return (await Promise.all([history(symbol, { period: "6mo", limit: BARS, signal }), this.bringChart()]))[0];
      },
      draw: (found, symbol) => this.draw(found, symbol),
      clear: () => this.clear(),
      isEmpty: ({ bars }) => !bars.length,
      behind: ({ behind }) => behind,
      grown: (found) => this.drawChart(found),
      lacking: ({ lacking }) => lacking,
      none: async () => [word("noBars")],
      recall: (symbol) => this.kept.get(symbol),
      rest: REST,
    });
  }

  /** The library of charts is by far the heaviest part of the page, and the table needs none of it. */
  async bringChart() {
    this.Chart ??= (await import("../../components/chart/chart.js")).Chart;
  }

  show(row) {
    this.row = row;
    delete this.parts.price.dataset.room; // of the last symbol
    setText(this.parts.symbol, row.symbol);
    setText(this.parts.name, row.name);
    this.parts.open.href = `/symbols/${encodeURIComponent(row.symbol)}/`;
    this.panel.show(row.symbol);
    this.changed(row);
  }

  /** What is known of a symbol, anew. */
  changed(row) {
    if (row.symbol !== this.row?.symbol) return;
    this.row = row;
    const { quote, price_decimals: decimals } = this.row;
    const { towards, whole } = dayChange(quote, decimals);
    this.element.dataset.direction = towards;
    this.chart?.showDirection(towards);
    reserveFigure(this.parts.price, quote?.current_price, decimals);
    setText(this.parts.price, price(quote?.current_price, decimals));
    this.parts.change.className = "signed";
    setText(this.parts.change, whole);
    showFigures(this.parts.figures, this.row);
    showRecords(this.parts.records, this.row);
  }

  takeBar(bar) {
    if (this.panel.isReading && bar.symbol === this.row.symbol) this.came.push(bar);
    const found = this.kept.get(bar.symbol);
    if (!found) return;
    const isShown = this.chart?.shown === found;
    if (takeBar(found, bar)) isShown && this.chart.moved();
    else if (isShown) this.reload();
    else this.kept.delete(bar.symbol);
  }

  /** Read everything again: the stream had a hole, or began anew. */
  reload() {
    this.kept.clear();
    this.panel.again();
  }

  /** What was held of a symbol is no longer so. */
  correct(correction) {
    if (correction.interval !== INTERVAL) return;
    this.kept.delete(correction.symbol);
    if (this.row.symbol === correction.symbol) this.panel.again(corrected(correction));
  }

  /** What was left before all of it came is read again when it is chosen again. */
  clear() {
    for (const [symbol, { behind, lacking }] of this.kept) if (behind || lacking) this.kept.delete(symbol);
    this.chart?.clear();
  }

  draw(found, symbol) {
    for (const bar of this.came.splice(0)) takeBar(found, bar);
    this.kept.set(symbol, found);
    this.drawChart(found);
  }

  drawChart(found) {
    this.chart ??= new this.Chart(this.parts.chart, { small: true });
    this.chart.show(found, { decimals: this.row.price_decimals, zone: this.row.time_zone });
    this.chart.showDirection(direction(this.row.quote?.change));
    this.chart.showFrom(rangeStart("3M", found.bars.at(-1).session_date));
  }
}
