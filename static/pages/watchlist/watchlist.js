// The watchlist: rows that the server has filled, and prices, indicators and alerts that move them.

import { Address } from "../../components/address.js";
import { showAlerts } from "../../components/alerts.js";
import { showConnection } from "../../components/connection.js";
import { setText } from "../../components/frame.js";
import { renewed, updated } from "../../components/freshness.js";
import { watchKeys } from "../../components/keys.js";
import { showSession, takeMarkets } from "../../components/markets.js";
import { get, inOrder, page } from "../../components/page.js";
import { Table } from "../../components/table/table.js";
import { columns, SPARK_DAYS } from "../../components/table/quotes.js";
import { Pane } from "./pane.js";
import { Stream } from "../../stream/stream.js";
import { direction, word } from "../../words/words.js";

const SESSION_EVERY = 250;
const REFRESH_WITHIN = 1500;
// Averages, records and sparklines change with the sessions and come by no stream.
const REFRESH_EVERY = 60_000;
const REFRESH_WHILE_INCOMPLETE = 8_000;
const isKnownPerson = Boolean(document.getElementById("preferences")); // who is logged in has a list
const HAS_PANE = matchMedia("(min-width: 1280px)");

const stream = new Stream();
const address = new Address({ symbol: page.symbols[0]?.symbol, sort: "symbol" });
let table = null;
let pane = null;

// What comes: each time a row is known anew, whole.

/** The first price of a new session makes the one before it a close of the sparkline. */
function takePrice(update) {
  const known = table.item(update.symbol);
  if (!known) return;
  const { quote: before, sparkline } = known;
  const isNext = before && update.session_date > before.session_date;
  const line = isNext ? [...(sparkline ?? []), before.current_price].slice(-SPARK_DAYS) : sparkline;
  take({ ...known, sparkline: line, quote: updated(before, update) });
  session ??= setTimeout(showSessionNow, SESSION_EVERY);
}

function takeIndicators(message) {
  const known = table.item(message.symbol);
  if (!known) return;
  const [rsi, sma] = [message.values.rsi_14?.rsi, message.values.sma_20?.sma];
  take({ ...known, indicators: { ...known.indicators, ...(rsi != null && { rsi_14: rsi }), ...(sma != null && { sma_20: sma }) } });
}

function take(known) {
  table.put(known);
  pane?.changed(known);
}

let session = null;
function showSessionNow() {
  session = null;
  showSession(table.items);
}

/** How far the first history is, while it comes, and which symbols are without; that the source is away is told once. */
let isLoading = false;
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

/** After a hole or a new epoch everything is read again, the pane's chart too. */
let refreshing = null;
let isWholeDue = false;
function refreshSoon({ isWhole = true } = {}) {
  isWholeDue ||= isWhole;
  refreshing ??= setTimeout(async () => {
    const isWholeNow = isWholeDue;
    refreshing = null;
    isWholeDue = false;
    await refresh();
    if (isWholeNow) pane?.reload();
  }, Math.random() * REFRESH_WITHIN);
}

const askList = inOrder(() => get("/api/v2/watchlists/default/"));
/** All of it, read again; a newer price that came meanwhile stays. */
async function refresh() {
  const fresh = await askList();
  if (!fresh) return;
  for (const each of fresh.symbols) {
    const known = table.item(each.symbol);
    if (known) take({ ...known, ...each, quote: renewed(known.quote, each.quote) });
  }
  takeMarkets(fresh.markets);
  showSessionNow();
  backfill = fresh.backfill;
  showHistory();
}

function refreshNowAndThen() {
  const isComplete = !isLoading && table.items.every(({ records }) => records);
  setTimeout(async () => {
    // Also while nothing flows: the first progress of the history may be told after this page was opened.
    if (!document.hidden && (stream.isFlowing || !isComplete)) await refresh();
    refreshNowAndThen();
  }, isComplete ? REFRESH_EVERY : REFRESH_WHILE_INCOMPLETE);
}

// The table.

function fillTable(element) {
  const all = columns(stream);
  const sorts = Object.keys(all).filter((name) => all[name].value);
  const sort = address.get("sort", sorts.flatMap((name) => [name, `-${name}`]));
  table = new Table(element, {
    columns: all,
    keyOf: ({ symbol }) => symbol,
    dress: (row, { quote }) => (row.dataset.direction = direction(quote?.change)),
    chosen: (known, { focus }) => {
      choose(known);
      if (!focus && !HAS_PANE.matches) open(known.symbol); // a press: where there is no pane, it leads on
    },
    sorted: (name, isAscending) => address.set({ sort: isAscending ? name : `-${name}` }),
    order: [sort.replace("-", ""), !sort.startsWith("-")],
  });
  table.fill(page.symbols);
  const first = table.item(address.get("symbol", table.keys));
  table.choice.mark(first.symbol);
  address.set({ sort });
  choose(first);
  table.body.addEventListener("dblclick", () => open(table.choice.key));
  watchKeys({ ...table.choice.acts(), Enter: () => open(table.choice.key), ...(isKnownPerson && { x: takeOff }) }, [
    [["j", "k", "↓", "↑"], word("keyMove")],
    [["Home", "End"], word("keyEnds")],
    [["Enter"], word("keyOpen")],
    ...(isKnownPerson ? [[["x"], word("keyTakeOff")]] : []),
  ]);
}

/** The chosen symbol leaves the list, and the one behind it is chosen. */
async function takeOff() {
  const { key } = table.choice;
  const known = table.item(key);
  if (!known) return;
  const { list } = await import("../../components/listing.js");
  list(key, false, (isOn) => {
    if (isOn) {
      table.put(known);
      if (table.size === 1) table.choice.choose(key);
    } else {
      if (table.choice.key === key) table.choice.step(table.keys.at(-1) === key ? -1 : 1);
      table.remove(key);
    }
    showSize();
  });
}

/** How many there are; where the last one was taken off, the next step in the place of its row and its pane. */
function showSize() {
  const [{ size }, line] = [table, document.querySelector("[data-count]")];
  setText(line, size === 1 ? line.dataset.one : line.dataset.many.replace("2", size));
  for (const part of ["[data-quotes]", "[data-pane]"]) document.querySelector(part).hidden = !size;
  document.querySelector("[data-no-symbols]").hidden = size > 0;
}

function choose(known) {
  address.set({ symbol: known.symbol });
  pane?.show(known);
}

function open(symbol) {
  table.rows.get(symbol).element.querySelector("a").click();
}

/** A window that becomes wide enough shows in it what is chosen. */
function openPane() {
  if (pane) return;
  pane = new Pane(document.querySelector("[data-pane]"));
  const chosen = table?.item(table.choice.key);
  if (chosen) pane.show(chosen);
}

/** A list without symbols is connected too. */
function start() {
  showConnection(stream);
  const element = document.querySelector("[data-quotes]");
  if (element) follow(element);
  stream.subscribe("system").open();
}

function follow(element) {
  if (HAS_PANE.matches) openPane();
  fillTable(element);
  HAS_PANE.addEventListener("change", () => HAS_PANE.matches && openPane());
  address.restore();
  showSessionNow();
  showHistory();
  showAlerts(stream, document.querySelector("[data-alerts]"));
  listen(table.keys);
  setInterval(() => table.tick(), 1000);
  refreshNowAndThen();
}

function listen(symbols) {
  stream.on("price_update", takePrice).on("indicators", takeIndicators).on("bar", (bar) => pane?.takeBar(bar));
  stream.on("correction", (correction) => {
    refreshSoon({ isWhole: false });
    pane?.correct(correction);
  });
  stream.on("lost", () => refreshSoon()).on("epoch", () => refreshSoon());
  stream.on("renamed", () => location.reload()); // rows and links bear the tickers
  stream.on("state", () => table.tick()).on("state", showHistory);
  stream.subscribe("prices", symbols).subscribe("bars", symbols).subscribe("indicators", symbols);
  stream.subscribe("alerts", symbols);
}

start();
