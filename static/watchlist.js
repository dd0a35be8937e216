// The watchlist: rows that the server has filled, and prices, indicators and alerts that move them.

import { showAlerts } from "./alerts.js";
import { drawMeter, drawSparkline, meter, sparkline } from "./drawing.js";
import { flash } from "./flash.js";
import { setText, showConnection, showMarket } from "./frame.js";
import { reach } from "./figures.js";
import { badge, showBadge, updated } from "./freshness.js";
import { get, page } from "./page.js";
import { Pane } from "./pane.js";
import { watchRows } from "./rows.js";
import { Stream } from "./stream.js";
import { decimalsOf, direction, percent, price, signed, word } from "./words.js";

const SPARK_DAYS = 30;
const DRAW_EVERY = 250; // numbers move at once, drawings four times a second
const REFRESH_WITHIN = 1500;
// Averages, records and sparklines change with the sessions and come by no stream.
const REFRESH_EVERY = 60_000;
const REFRESH_WHILE_INCOMPLETE = 8_000;

const table = document.querySelector("[data-quotes]");
const rows = new Map();
const stream = new Stream();
let pane = null;

/** One row: what is known of the symbol, and the cells that show it. */
class Row {
  constructor(element, known) {
    this.element = element;
    this.known = known;
    this.cells = Object.fromEntries([...element.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell]));
    this.spark = this.cells.spark.appendChild(sparkline(known.sparkline ?? []));
    this.day = this.cells.day.appendChild(meter());
    this.year = this.cells.year.appendChild(meter());
    this.rsi = this.cells.rsi.appendChild(Object.assign(document.createElement("span"), { className: "rsi" }));
    this.fresh = this.cells.fresh.appendChild(badge());
    this.cells.volume.classList.add("volume");
    this.show();
  }

  /** A price came; the first of a new session makes the one before it a close of the sparkline. */
  take(update) {
    const before = this.known.quote;
    if (before && update.session_date > before.session_date) this.endSession(before);
    this.known.quote = updated(before, update);
    this.show();
    if (before && before.current_price !== update.current_price) {
      flash(this.cells.price.firstElementChild, direction(update.current_price - before.current_price));
    }
  }

  /** All of it, read again; a newer price that came meanwhile stays. */
  renew(fresh) {
    const { quote } = this.known;
    const isNewer = quote && fresh.quote && quote.received_at > fresh.quote.received_at;
    Object.assign(this.known, fresh, isNewer && { quote });
    this.show();
    pane?.changed(fresh.symbol);
  }

  endSession(last) {
    this.known.sparkline = [...(this.known.sparkline ?? []), last.current_price].slice(-SPARK_DAYS);
  }

  show() {
    const { known, cells } = this;
    const { quote, price_decimals: decimals } = known;
    this.element.dataset.direction = direction(quote?.change);
    setText(cells.price.firstElementChild, price(quote?.current_price, decimals));
    setText(cells.change, signed(quote?.change, decimalsOf(quote?.current_price, decimals)));
    setText(cells.percent, percent(quote?.change_percent));
    if (this.isDrawn) this.drawing ??= setTimeout(() => this.draw(), DRAW_EVERY);
    else this.draw();
  }

  draw() {
    this.drawing = null;
    this.isDrawn = true;
    this.showSpark();
    this.showRanges();
    this.showVolume();
    this.showOscillator();
    this.showAge();
  }

  showSpark() {
    const line = this.known.sparkline ?? [];
    const now = this.known.quote?.current_price;
    drawSparkline(this.spark, now == null ? line : [...line.slice(1 - SPARK_DAYS), now]);
  }

  showRanges() {
    const { quote, records, price_decimals: decimals } = this.known;
    const label = (low, high) => {
      const share = high > low ? Math.round(((quote.current_price - low) / (high - low)) * 100) : 50;
      return word("fromLow", { percent: `${share}%`, low: price(low, decimals), high: price(high, decimals) });
    };
    const day = quote && quote.high != null ? label(quote.low, quote.high) : "";
    drawMeter(this.day, quote?.current_price, quote?.low ?? NaN, quote?.high ?? NaN, { from: quote?.open ?? undefined, label: day });
    this.cells.day.title = day;
    const known = records?.["52_weeks"];
    const { low, high } = known ? reach(known, quote) : { low: NaN, high: NaN };
    const year = known && quote ? label(low, high) : "";
    drawMeter(this.year, quote?.current_price, low, high, { label: year });
    this.cells.year.title = year;
  }

  showVolume() {
    const times = volumeRatio(this.known);
    setText(this.cells.volume, times == null ? "–" : `${price(times, 2)}×`);
    this.cells.volume.title = times == null ? "" : word("timesAverage", { times: price(times, 2) });
  }

  showOscillator() {
    const value = this.known.indicators?.rsi_14;
    const zone = value == null ? "neutral" : value >= 70 ? "overbought" : value <= 30 ? "oversold" : "neutral";
    setText(this.rsi, value == null ? "–" : price(value, 0));
    this.rsi.dataset.zone = zone;
    this.rsi.title = value == null ? "" : `${price(value, 1)} · ${word(zone)}`;
  }

  showAge() {
    showBadge(this.fresh, this.known.quote, stream.isFlowing, this.known.time_zone);
  }
}

/** The session's volume against the average; null until the source has told it. */
function volumeRatio({ quote, average_volume: average }) {
  return quote?.volume != null && average ? quote.volume / average : null;
}

function takeIndicators(message) {
  const row = rows.get(message.symbol);
  if (!row) return;
  const [rsi, sma] = [message.values.rsi_14?.rsi, message.values.sma_20?.sma];
  row.known.indicators = { ...row.known.indicators, ...(rsi != null && { rsi_14: rsi }), ...(sma != null && { sma_20: sma }) };
  row.showOscillator();
  pane?.changed(message.symbol);
}

let market = null;
let hours = page.market;
let isLoading = false;
function showMarketNow() {
  market = null;
  showMarket([...rows.values()].map(({ known }) => known), hours);
}

/** How far the first history is, while it comes, and which symbols are without; that the source is away is told once. */
let backfill = page.backfill;
function showHistory() {
  const isAway = stream.service?.source === false;
  isLoading = backfill !== null && backfill.done < backfill.total;
  const line = document.querySelector("[data-history]");
  const failed = Object.entries((!isAway && backfill?.errors) || {}).map(([symbol, reason]) => word("historyFailed", { symbol, reason }));
  const loading = isLoading && !isAway && backfill.symbol ? [word("historyLoading", { symbol: backfill.symbol })] : [];
  setText(line, backfill ? [word("historyOf", backfill), ...loading, ...failed].join(" · ") : "");
  line.hidden = !backfill;
}

function takePrice(update) {
  const row = rows.get(update.symbol);
  if (!row) return;
  row.take(update);
  market ??= setTimeout(showMarketNow, DRAW_EVERY);
  order.changed();
  pane?.changed(update.symbol);
}

/** After a hole or a new epoch everything is read again. */
let refreshing = null;
function refreshSoon() {
  refreshing ??= setTimeout(async () => {
    refreshing = null;
    await refresh();
    pane?.reload();
  }, Math.random() * REFRESH_WITHIN);
}

async function refresh() {
  const fresh = await get("/api/v2/watchlists/default/").catch(() => null);
  if (!fresh) return;
  for (const known of fresh.symbols) rows.get(known.symbol)?.renew(known);
  hours = fresh.market;
  showMarketNow();
  backfill = fresh.backfill;
  showHistory();
}

function refreshNowAndThen() {
  const isComplete = !isLoading && [...rows.values()].every(({ known }) => known.records);
  setTimeout(async () => {
    // Also while nothing flows: the first progress of the history may be told after this page was opened.
    if (!document.hidden && (stream.isFlowing || !isComplete)) await refresh();
    refreshNowAndThen();
  }, isComplete ? REFRESH_EVERY : REFRESH_WHILE_INCOMPLETE);
}

const SORTS = {
  symbol: ({ symbol }) => symbol,
  price: ({ quote }) => quote?.current_price,
  change: ({ quote }) => quote?.change,
  percent: ({ quote }) => quote?.change_percent,
  volume: volumeRatio,
  rsi: ({ indicators }) => indicators?.rsi_14,
  year: ({ quote, records }) => {
    const known = records?.["52_weeks"];
    return known && quote ? (quote.current_price - known.low) / (known.high - known.low) : null;
  },
  age: ({ quote }) => (quote ? Date.parse(quote.received_at) : null),
};

let order = { changed() {} };

function start() {
  showConnection(stream);
  if (!table) return;
  for (const known of page.symbols) {
    const element = table.querySelector(`[data-symbol="${CSS.escape(known.symbol)}"]`);
    rows.set(known.symbol, new Row(element, known));
  }
  order = watchRows(table, (symbol, sort) => SORTS[sort](rows.get(symbol).known), {
    select: (symbol) => pane?.show(rows.get(symbol).known),
  });
  const element = document.querySelector("[data-pane]");
  if (element && matchMedia("(min-width: 1280px)").matches) {
    pane = new Pane(element);
    pane.show(rows.get(page.symbols[0].symbol).known);
  }
  showMarketNow();
  setInterval(showMarketNow, 30_000);
  showHistory();
  showAlerts(stream, document.querySelector("[data-alerts]"));
  const symbols = [...rows.keys()];
  stream.on("price_update", takePrice).on("indicators", takeIndicators).on("bar", (bar) => pane?.takeBar(bar));
  stream.on("correction", refreshSoon);
  stream.on("lost", refreshSoon).on("epoch", refreshSoon);
  stream.on("renamed", () => location.reload()); // rows and links bear the tickers
  stream.on("state", () => rows.forEach((row) => row.showAge())).on("state", showHistory);
  stream.subscribe("prices", symbols).subscribe("bars", symbols).subscribe("indicators", symbols);
  stream.subscribe("alerts", symbols).subscribe("system").open();
  setInterval(() => rows.forEach((row) => row.showAge()), 1000);
  refreshNowAndThen();
}

start();
