// The replay: past sessions over the live stream's own messages, shown by the parts of the other pages. What is played, how
// fast and where it is stand in the address.

import { Address } from "../../components/address.js";
import { listed, showAlerts } from "../../components/alerts.js";
import { BEGINNING, ChartPanel } from "../../components/chart/chartpanel.js";
import { rangeStart } from "../../components/chart/history.js";
import { dayBefore, historyBefore, turnInto } from "../../components/chart/past.js";
import { dayChange } from "../../components/change.js";
import { showConnection } from "../../components/connection.js";
import { copying } from "../../components/copying.js";
import { setText } from "../../components/frame.js";
import { watchKeys } from "../../components/keys.js";
import { get, page } from "../../components/page.js";
import { reserve, reserveFigure } from "../../components/steady.js";
import { columns, SPARK_DAYS } from "../../components/table/quotes.js";
import { Table } from "../../components/table/table.js";
import { Stream } from "../../stream/stream.js";
import { direction, price, word } from "../../words/words.js";
import { Controls } from "./controls.js";
import { Replaying, within } from "./replaying.js";

const WRITE_EVERY = 2000; // ms: browsers refuse an address that changes with every session
const USUAL_RANGE = "6M";
const FIRST = 138; // bars of that range, 129 at most, and so many before that its edge asks for no older ones
const USUAL = 23_400; // a session of New York in a second
const [SLOWEST, FASTEST] = [1, 100_000];

const part = (name) => document.querySelector(`[data-${name}]`);
const address = new Address({ ...BEGINNING, range: USUAL_RANGE });
const isAsked = address.get("symbols") !== undefined;
const wish = wished();
const stream = new Stream();
const replaying = new Replaying(stream, wish, startAt());
const alerts = part("alerts");
const none = alerts.querySelector(".none"); // nothing rang before the page opened
none.classList.add("quiet");
const panel = new ChartPanel(part("chart-panel"), {
  address, lost: () => show(table.choice.key), follow() {}, drawn, indicate: (keys) => replaying.indicate(keys),
  none: async () => [word("whyNoneHeld")],
  read(symbol, { limit, indicators, signal }) {
    const [session, isFirst] = [sessionOf(symbol), limit && panel.toolbar.range === USUAL_RANGE];
    return historyBefore(symbol, session, { indicators, limit: isFirst ? FIRST : limit, signal, newest: page.last, ...(isFirst && { since: rangeStart(USUAL_RANGE, session) }) });
  },
});
replaying.wish.indicators = within(panel.indicators, wish.symbols);
const controls = new Controls(part("player"), { wish, first: page.first, last: page.last, replaying });

// What is asked for, by the address or as a page without one begins.

function wished() {
  const [end, speed] = [day("to") ?? page.last, Number(address.get("speed"))];
  const start = day("from") ?? [page.first, rangeStart(USUAL_RANGE, end)].sort().at(-1);
  const symbols = isAsked ? address.get("symbols").split(",").map((text) => text.trim()).filter(Boolean) : page.rows.map(({ symbol }) => symbol);
  return { symbols, start, end, speed: speed >= SLOWEST && speed <= FASTEST ? speed : USUAL };
}

function startAt() {
  const at = day("at");
  return at && at >= wish.start && at <= wish.end ? at : wish.start;
}

function day(name) {
  const told = address.get(name);
  return /^\d{4}-\d\d-\d\d$/.test(told ?? "") && !Number.isNaN(Date.parse(told)) ? told : null;
}

function link(at = replaying.at) {
  const asked = new URLSearchParams({ symbols: wish.symbols.join(","), from: wish.start, to: wish.end, speed: wish.speed, at });
  return `${location.origin}${location.pathname}?${asked}`;
}

// The table of quotes. A row is known anew each time, whole.

const all = columns(stream);
const table = new Table(part("quotes"), {
  columns: Object.fromEntries(["symbol", "price", "percent", "spark"].map((name) => [name, all[name]])),
  keyOf: ({ symbol }) => symbol,
  dress: (row, { quote }) => (row.dataset.direction = direction(quote?.change)),
  chosen: ({ symbol }) => show(symbol),
  order: ["symbol", true],
});
table.fill(page.rows.map((row) => ({ ...row, sparkline: [] })));

/** The closes before a session: where each row stands as it opens. */
let seeding = null;
async function seed(session) {
  seeding?.abort();
  const { signal } = (seeding = new AbortController());
  const path = `/api/v2/bars/?symbols=${encodeURIComponent(table.items.map(({ symbol }) => symbol).join(","))}&end=${dayBefore(session)}`;
  const [lines, lasts] = await Promise.all([["split", SPARK_DAYS], ["raw", 1]].map(([adjusted, limit]) => get(`${path}&adjusted=${adjusted}&limit=${limit}`, { signal }).catch(() => null)));
  if (signal.aborted || !lines || !lasts) return;
  const last = new Map(lasts.results.map(({ symbol, bars: [bar] }) => [symbol, bar]));
  for (const { symbol, bars } of lines.results) {
    const [known, bar] = [table.item(symbol), last.get(symbol)];
    const line = inSharesOf(bars.map(({ close }) => close), bar?.close);
    const quote = bar ? { symbol, current_price: bar.close, change: null, change_percent: null, session_date: bar.session_date, replay: true } : null;
    if (!known) continue;
    if (heardOf.has(symbol)) table.put({ ...known, sparkline: [...line, ...known.sparkline].slice(-SPARK_DAYS) });
    else table.put({ ...known, quote, sparkline: line });
  }
  showChosen();
}

/** The form of a line is what it shows: of other shares it is brought to a close that is known. */
function inSharesOf(line, close) {
  const by = close / line.at(-1);
  return Number.isFinite(by) && by > 0 ? line.map((each) => each * by) : line;
}

// The chart of the chosen row.

function chosen() {
  return table.item(table.choice.key);
}

/** The session whose bar moves: the one that was heard last, else the one that begins. */
function sessionOf(symbol) {
  return lastBars.get(symbol)?.session_date ?? replaying.at;
}

function show(symbol) {
  const row = table.item(symbol);
  waiting = lastBars.has(symbol) ? [lastBars.get(symbol)] : [];
  document.querySelector("[data-canvas]").ariaLabel = word("chartOf", { name: row.name });
  panel.show({ ...row, before: `${sessionOf(symbol)} ${++shown}` });
  showChosen();
}

let shown = 0;
let waiting = null; // bars that came while the history before them was on its way
function drawn() {
  const bars = waiting ?? [];
  waiting = null;
  bars.forEach(takeBar);
  panel.mark(listed(alerts));
}

function takeBar(bar) {
  if (waiting) {
    waiting.push(bar);
    return;
  }
  if (!panel.known) return;
  const isTurned = turnInto(panel.known, bar.session_date);
  if (isTurned) panel.redraw({ keepPlace: true });
  panel.takeBar(bar);
  if (isTurned && panel.panel.isReading) panel.again(); // what comes is of the shares before
}

function showChosen() {
  const row = chosen();
  if (!row) return;
  const { quote, price_decimals: decimals } = row;
  const { towards, whole } = dayChange(quote, decimals);
  part("chart-panel").parentElement.dataset.direction = towards;
  panel.showDirection(towards);
  setText(part("chosen-symbol"), row.symbol);
  setText(part("chosen-name"), row.name);
  reserveFigure(part("chosen-price"), quote?.current_price, decimals);
  setText(part("chosen-price"), price(quote?.current_price, decimals));
  setText(part("chosen-change"), whole);
}

// What comes, gathered until the next frame: many sessions may be played in one.

const lastBars = new Map();
let came = { quotes: new Map(), ofChart: [], alerts: [] };
let frame = null;

const TAKES = {
  price_update(message) {
    came.quotes.set(message.symbol, message);
  },
  bar(bar) {
    if (bar.is_final) closes.set(bar.symbol, [...(closes.get(bar.symbol) ?? []), bar].slice(-SPARK_DAYS));
    lastBars.set(bar.symbol, bar);
    if (bar.symbol === table.choice.key) replaceLast(bar);
  },
  indicators(message) {
    if (message.symbol === table.choice.key) replaceLast(message);
  },
  alert(message) {
    came.alerts.push(message);
  },
};
const heardOf = new Set(); // symbols, since it was placed
const closes = new Map(); // bars that have closed, and are not in the line of their row yet

function replaceLast(message) {
  const { ofChart } = came;
  const same = ofChart.findIndex((each) => each.type === message.type && each.stream === message.stream && each.session_date === message.session_date);
  if (same >= 0) ofChart.splice(same, 1);
  ofChart.push(message);
}

function hear(message) {
  TAKES[message.type]?.(message);
  frame ??= requestAnimationFrame(paint);
}

function paint() {
  frame = null;
  const { quotes, ofChart, alerts: rung } = came;
  came = { quotes: new Map(), ofChart: [], alerts: [] };
  for (const quote of quotes.values()) takeQuote(quote);
  const before = panel.known?.bars.at(-1)?.session_date;
  for (const message of ofChart) if (message.type === "bar") takeBar(message); else if (!waiting) panel.takeIndicators(message);
  if (panel.known?.bars.at(-1)?.session_date !== before) panel.chart.flags.place();
  showChosen();
  for (const alert of rung) heard.emit("alert", alert);
  if (rung.length) panel.mark(listed(alerts));
  controls.showPlace(replaying.at);
  writeAt();
}

/** The line stands up to the close before this price, in its shares. */
function takeQuote(quote) {
  const known = table.item(quote.symbol);
  if (!known) return;
  heardOf.add(quote.symbol);
  const closed = closes.get(quote.symbol) ?? [];
  const before = closed.filter(({ session_date: date }) => date < quote.session_date);
  closes.set(quote.symbol, closed.slice(before.length));
  const line = [...known.sparkline, ...before.map(({ close }) => close)].slice(-SPARK_DAYS);
  const isNext = known.quote?.session_date !== quote.session_date && quote.previous_close != null;
  table.put({ ...known, quote, sparkline: isNext ? inSharesOf(line, quote.previous_close) : line });
}

/** As the parts of other pages hear it. */
const heard = new (class extends EventTarget {
  on(type, handler) {
    this.addEventListener(type, ({ detail }) => handler(detail));
    return this;
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
})();

let written = 0;
function writeAt({ isNow = false } = {}) {
  if (!isNow && Date.now() - written < WRITE_EVERY) return;
  written = Date.now();
  const { symbols, start: from, end: to, speed } = wish;
  address.set({ symbols: symbols.join(","), from, to, speed: String(speed), at: replaying.at });
}

// How it stands.

/** It begins, or stands somewhere else: nothing of what was there stays. */
function placed(session) {
  cancelAnimationFrame(frame);
  frame = null;
  came = { quotes: new Map(), ofChart: [], alerts: [] };
  lastBars.clear();
  closes.clear();
  for (const item of alerts.querySelectorAll("[data-session]")) if (item.dataset.session >= session) item.remove();
  if (!alerts.children.length) alerts.append(none);
  heardOf.clear();
  for (const row of table.items) table.put({ ...row, sparkline: [] });
  seed(session);
  show(table.choice.key);
}

function stand({ state, at, isPlaced }) {
  if (isPlaced || (state === "idle" && at !== placedAt)) placed((placedAt = at));
  controls.showPlace(at, { isChosen: isPlaced });
  if (state !== "playing" && state !== "starting" && state !== "idle") writeAt({ isNow: true });
}
let placedAt = replaying.at;

/** By sessions, as the chosen symbol has them. */
function step(by) {
  const dates = panel.known?.bars.map(({ session_date: date }) => date) ?? [];
  const next = new Date(Date.parse(`${replaying.at}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const to = by > 0 ? next : dates.findLast((date) => date < replaying.at) ?? dayBefore(replaying.at);
  if (to >= wish.start && to <= wish.end) replaying.seek({ day: to });
}

function fillWishes() {
  const form = part("wishes");
  const [symbols, from, to] = ["symbols", "from", "to"].map((name) => form.elements[name]);
  Object.assign(symbols, { value: wish.symbols.join(", ") });
  [from.value, to.value] = [wish.start, wish.end];
  const ordered = () => to.setCustomValidity(from.value > to.value ? word("whyInvalid") : "");
  for (const field of [from, to]) field.addEventListener("input", ordered);
  form.addEventListener("submit", () => (part("kept-speed").value = wish.speed));
  symbols.addEventListener("focus", async () => (await import("../../components/suggest.js")).suggestSymbols(symbols, { isMany: true }), { once: true });
  part("share").append(copying(() => link()));
}

showConnection(stream);
fillWishes();
showAlerts(heard, alerts);
table.choice.mark(table.keys[0]);
watchKeys({ ...table.choice.acts(), " ": () => controls.toggle(), ArrowLeft: () => step(-1), ArrowRight: () => step(1) }, [
  [["Space"], word("keyPlay")], [["←", "→"], word("keySessions")], [["j", "k", "↓", "↑"], word("keyMove")],
]);
reserve(part("chosen-change"), ["▲ +000.00 (+00.00%)"]);
replaying.on("heard", hear).on("stands", stand);
seed(replaying.at);
show(table.choice.key);
stream.subscribe("system").open();
if (isAsked) replaying.begin();
else controls.show({ state: "idle" });
