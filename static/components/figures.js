// Key figures of a symbol, for the pane of the watchlist and the side of the symbol page.

import { drawMeter, meter, reach } from "./drawing.js";
import { setText } from "./frame.js";
import { compact, derived, moment, percent, price, word } from "../words/words.js";

const names = { ...document.getElementById("figure-words")?.dataset };

/** Fill a definition list with the rows of a symbol; called again, it changes only what moved. */
export function showFigures(list, row) {
  const { quote, price_decimals: decimals } = row;
  const of = (value) => price(value, decimals);
  const figures = {
    open: of(quote?.open),
    day: quote?.high == null ? "–" : `${of(quote.low)} – ${of(quote.high)}`,
    previous: of(quote?.previous_close),
    volume: compact(quote?.volume),
    average: compact(row.average_volume),
    sma: derived(row.indicators?.sma_20, decimals),
    rsi: price(row.indicators?.rsi_14, 1),
  };
  for (const [key, text] of Object.entries(figures)) setText(line(list, key), text);
}

/** What the source tells of a company beside its prices: each in the room that the page has for it, with its unit. */
export function showKeyFigures(list, note, row) {
  const told = row.key_figures;
  const amount = (text) => (text === "–" ? text : `${text} ${told.currency}`);
  const texts = {
    market_cap: amount(compact(told.market_cap)),
    price_earnings: price(told.price_earnings, 2),
    earnings_per_share: amount(price(told.earnings_per_share, 2)),
    dividend_yield_percent: told.dividend_yield_percent == null ? "–" : `${price(told.dividend_yield_percent, 2)}%`,
    earnings_date: span(told.earnings_date, told.earnings_date_to),
    ex_dividend_date: told.ex_dividend_date ?? "–",
  };
  for (const group of list.children) {
    const key = group.dataset.figure;
    setText(group.lastElementChild, texts[key]);
    group.title = whence(told, key);
    group.dataset.kept = key in told.kept;
    if (key === "earnings_date") setText(group.firstElementChild, told.is_earnings_date_estimated ? names.estimated : names.earnings_date);
  }
  setText(note, told.reason ? names.waiting : filled(names.of, { date: dayOf(told.as_of, row.time_zone), source: told.source }));
}

/** The exchange's own date of an instant. */
function dayOf(time, timeZone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone }).format(new Date(time));
}

/** Of when a figure is and where it came from, or why there is none. */
function whence(told, key) {
  const { missing, kept } = told;
  if (told.reason) return names.waiting;
  if (missing[key]) return filled(names.since, { reason: names[missing[key].reason] ?? missing[key].reason, date: missing[key].since });
  const { as_of: asOf, received_at: received } = kept[key] ?? told;
  const from = filled(names.received, { source: told.source, asOf: moment(asOf), received: moment(received) });
  return kept[key] ? `${filled(names.kept, { asOf: moment(asOf) })} ${from}` : from;
}

/** A day, or the first and the last of some, as short as they can be told: 2025-04-30 – 05-05. */
function span(first, last) {
  if (!first) return "–";
  return last ? `${first} – ${last.slice(0, 4) === first.slice(0, 4) ? last.slice(5) : last}` : first;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function line(list, key) {
  const found = list.querySelector(`[data-figure="${key}"] dd`);
  if (found) return found;
  const group = document.createElement("div");
  group.dataset.figure = key;
  group.append(Object.assign(document.createElement("dt"), { textContent: names[key] }), document.createElement("dd"));
  list.append(group);
  return group.lastElementChild;
}

/** 52 weeks and all time as bars, with the day of each end. A price beyond an end moves it at once. */
export function showRecords(box, row) {
  box.dataset.none = row.records?.["52_weeks"] ? "" : names.none;
  for (const [scope, name] of [["52_weeks", names.year], ["all_time", names.all]]) {
    const known = row.records?.[scope];
    if (!known) {
      box.querySelector(`[data-scope="${scope}"]`)?.remove(); // it was of another symbol
      continue;
    }
    const section = box.querySelector(`[data-scope="${scope}"]`) ?? addRecord(box, scope, name);
    if (scope === "all_time") setText(since(section), known.since ? word("countedSince", { date: known.since }) : "");
    const { low, lowDate, high, highDate } = reach(known, row.quote);
    const of = (value) => price(value, row.price_decimals);
    const [lowEnd, highEnd] = section.querySelectorAll(".ends > span");
    setText(lowEnd.firstChild, of(low));
    setText(lowEnd.lastChild, withDistance(lowDate, low, row.quote));
    setText(highEnd.firstChild, of(high));
    setText(highEnd.lastChild, withDistance(highDate, high, row.quote));
    const at = row.quote?.current_price;
    const share = high > low ? Math.round(((at - low) / (high - low)) * 100) : 50;
    drawMeter(section.querySelector(".meter"), at, low, high, {
      label: word("fromLow", { percent: `${share}%`, low: of(low), high: of(high) }),
    });
  }
}

/** How far the price is from an end, below the end's day; there is no share of what is not above nothing. */
function withDistance(date, end, quote) {
  const at = quote?.current_price;
  return at == null || !(end > 0) ? date : `${date}\n${percent((at / end - 1) * 100)}`;
}

/** Where it is said how far back all time goes. */
function since(section) {
  const title = section.querySelector("h3");
  if (!title.querySelector("small")) title.append(" ", document.createElement("small"));
  return title.querySelector("small");
}

function addRecord(box, scope, name) {
  const section = document.createElement("section");
  section.className = "record";
  section.dataset.scope = scope;
  const ends = Object.assign(document.createElement("div"), { className: "ends" });
  for (let side = 0; side < 2; side += 1) {
    const end = document.createElement("span");
    end.append(document.createElement("b"), document.createElement("small"));
    ends.append(end);
  }
  section.append(Object.assign(document.createElement("h3"), { textContent: name }), meter(), ends);
  box.append(section);
  return section;
}
