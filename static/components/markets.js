// The followed exchanges: each open or closed by its calendar, and how long until that changes. A recording keeps no hours:
// it shows the session that is played.

import { isRecorded, setText } from "./frame.js";
import { make } from "./element.js";
import { get, page } from "./page.js";
import { reserve } from "./steady.js";
import { clock, countdown, word } from "../words/words.js";

const READ_AFTER = 2000; // once a clock has struck, the server tells it; not all pages ask in the same second
const READ_WITHIN = 8000;
const LONGEST = 23 * 3600 + 59 * 60;

const box = document.querySelector("[data-markets]");
const names = JSON.parse(box?.dataset.names ?? "{}");
let markets = page?.markets ?? [];
let reading = null;

/** An exchange as it is now by what was told before: what a clock said it would do by now it has done. */
export function stateAt({ state, opens_at: opens, closes_at: closes }, now) {
  const next = (at) => (Date.parse(at ?? "") > now ? Date.parse(at) : null);
  const has = (at) => Date.parse(at ?? "") <= now;
  if (state === "open" && has(closes)) return { state: "closed", until: next(opens), hasChanged: true };
  if (state !== "open" && has(opens)) return { state: "open", until: next(closes), hasChanged: true };
  return { state, until: state === "open" ? next(closes) : next(opens), hasChanged: false };
}

/** Whether one of these exchanges trades now. */
export function isAnyOpen(exchanges) {
  return markets.some((market) => exchanges.has(market.exchange) && stateAt(market, Date.now()).state === "open");
}

/** Where all of these are known to be closed, when the first opens; null where that is not known. Else undefined. */
export function closedUntil(exchanges) {
  const known = new Map(markets.map((market) => [market.exchange, stateAt(market, Date.now())]));
  const found = [...exchanges].map((exchange) => known.get(exchange));
  if (!found.length || !found.every((market) => market?.state === "closed")) return undefined;
  return found.reduce((first, { until }) => (until === null || first <= until && first !== null ? first : until), null);
}

/** Of what the server tells anew. */
export function takeMarkets(told) {
  markets = told ?? markets;
  show();
}

/** Of a recording: the newest session of these rows, open while any of them still trades in it. */
export function showSession(rows) {
  const chip = document.querySelector(".market[data-session]");
  if (!chip || !isRecorded) return;
  const quotes = rows.filter((row) => row.quote).map(({ quote }) => quote);
  const newest = quotes.map((quote) => quote.session_date).sort().at(-1);
  if (!newest) return;
  const isOpen = quotes.some((quote) => quote.session_date === newest && quote.market_state === "open");
  setText(chip.querySelector("[data-session-date]"), newest);
  setText(chip.querySelector("[data-session-state]"), word(isOpen ? "open" : "closed"));
}

function show() {
  if (!box || isRecorded) return;
  box.hidden = !markets.length;
  const now = Date.now();
  const known = markets.map((market) => ({ ...market, ...stateAt(market, now) }));
  draw(box.querySelector("summary"), known);
  draw(box.querySelector("ul"), known);
  if (known.some(({ hasChanged }) => hasChanged)) readSoon();
}

/** The same twice: a chip each in the bar, and all of them with their hours in its menu. */
function draw(list, known) {
  const held = new Map([...list.children].map((line) => [line.dataset.market, line]));
  const wanted = new Set(known.map(({ exchange }) => exchange));
  for (const [exchange, line] of held) if (!wanted.has(exchange)) line.remove();
  for (const market of known) {
    const line = held.get(market.exchange) ?? list.appendChild(made(list, market.exchange));
    const [shape, , state, until] = line.children;
    shape.dataset.status = line.dataset.status = market.state === "open" ? "live" : "closed";
    setText(state, word(market.state));
    setText(until, untilWords(market));
    line.title = market.until ? `${word("session", { date: market.session })} · ${clock(market.until).slice(0, 5)}` : "";
  }
}

function made(list, exchange) {
  const part = (name, text = "") => make("span", { className: name, textContent: text });
  const line = make(list.tagName === "UL" ? "li" : "span", { className: "chip market", dataset: { market: exchange, status: "closed" } },
    make("i", { className: "shape", ariaHidden: "true" }), make("b", { textContent: names[exchange] ?? exchange }), part("state-word"), part("until"));
  reserve(line.children[2], ["open", "closed", "pre", "post"].map((state) => word(state)));
  reserve(line.children[3], ["opensIn", "closesIn"].map((key) => word(key, { time: countdown(LONGEST) })));
  return line;
}

function untilWords({ state, until }) {
  return until ? word(state === "open" ? "closesIn" : "opensIn", { time: countdown((until - Date.now()) / 1000) }) : "";
}

function readSoon() {
  reading ??= setTimeout(async () => {
    const told = document.hidden ? null : await get("/api/v2/watchlists/default/").catch(() => null);
    reading = null;
    if (told) takeMarkets(told.markets);
  }, READ_AFTER + Math.random() * READ_WITHIN);
}

show();
if (box && !isRecorded) setInterval(show, 1000);
