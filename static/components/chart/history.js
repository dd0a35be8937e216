// A symbol's bars with the indicators and the splits and dividends that go with them, from the public interface.

import { get } from "../page.js";
import { word } from "../../words/words.js";

/** The interval that bars come in; weeks and months are made of them. */
export const INTERVAL = "1d";
const DRAWN = "sma_20,rsi_14";
const MOST = 10_000;
const WITHIN = { period: "1mo", limit: 1000 }; // sessions of bars that are shorter
const YEARS = { crypto: 375 }; // bars of a year and some days more; other symbols rest at weekends
const YEAR = 270;
const TURNED = "sma_20,rsi_14"; // of these a split changes what lies over the price, and nothing else
const SESSIONS = 250; // a year has no fewer
const PERIODS = { "1y": 1, "2y": 2, "5y": 5, "10y": 10 }; // in years
const TOGETHER = 150; // ms that bars wait for what goes with them: drawn once is calmer than twice

/** As much of a history as the first view needs: a year. Indicators are of the whole history whatever is asked of it. */
export function recent({ asset_type: type }, interval = INTERVAL) {
  return interval !== INTERVAL ? WITHIN : { period: "1y", limit: YEARS[type] ?? YEAR };
}

/** An interval's bars alone: `bars` oldest first. */
export async function barsOf(symbol, { limit = MOST, interval = INTERVAL, adjusted = "split", knownAt = "", signal } = {}) {
  const asked = `?interval=${interval}&adjusted=${adjusted}&limit=${limit}${known(knownAt)}`;
  const { results: bars, coverage } = await get(`/api/v2/symbols/${encodeURIComponent(symbol)}/bars/${asked}`, { signal });
  return { symbol, interval, bars, coverage, lines: [], actions: [] };
}

/**
 * Bars as `barsOf` has them. `isAll` where no older ones are left to ask for; `lines`, one for each output of an indicator, with a value or null for each bar; `actions`. Where these take longer than the bars
 * `behind` is a promise, kept when they have come; `lacking`: why some of them did not. What `signal` aborts comes no more.
 * `knownAt`: as it was known at an instant; what indicators were then nobody keeps.
 */
export async function history(symbol, { period = "max", limit = MOST, interval = INTERVAL, adjusted = "split", knownAt = "", signal } = {}) {
  const name = encodeURIComponent(symbol);
  const beside = Promise.all([
    knownAt ? { times: [], indicators: {} } : get(`/api/v2/technical-analysis/indicators/${name}?interval=${interval}&adjusted=${adjusted}&period=${period}&indicators=${DRAWN}`, { signal }).catch(without({ times: [], indicators: {} })),
    get(`/api/v2/symbols/${name}/actions/?limit=500${known(knownAt)}`, { signal }).catch(without({ results: [] })),
  ]);
  const found = await barsOf(symbol, { limit, interval, adjusted, knownAt, signal });
  const { bars } = found;
  found.isAll = period === "max" || !bars.length || (bars.length < limit && rangeStart("1Y", bars.at(-1).session_date) <= bars[0].session_date);
  found.behind = beside.then((answers) => signal?.aborted || join(found, ...answers));
  await Promise.race([found.behind, new Promise((soon) => setTimeout(soon, TOGETHER))]);
  return found;
}

/** Days as they were known when a session began: those before it, in its shares. As `history` has them. `newest`: the day
 * that is held last, from which what is computed is counted back.
 */
export async function historyBefore(symbol, session, { limit = MOST, newest = "", signal } = {}) {
  const name = encodeURIComponent(symbol);
  const years = (Date.parse(newest) - Date.parse(session)) / 86_400_000 / 365 + limit / SESSIONS;
  const period = Object.entries(PERIODS).find(([, most]) => years < most)?.[0] ?? "max";
  const [{ results, coverage }, indicators, actions] = await Promise.all([
    get(`/api/v2/symbols/${name}/bars/?interval=${INTERVAL}&adjusted=raw&limit=${limit}&end=${dayBefore(session)}`, { signal }),
    get(`/api/v2/technical-analysis/indicators/${name}?interval=${INTERVAL}&adjusted=split&period=${period}&indicators=${TURNED}`, { signal }).catch(without({ times: [], indicators: {} })),
    get(`/api/v2/symbols/${name}/actions/?limit=500`, { signal }),
  ]);
  const later = sharesBetween(actions.results, session);
  const found = { symbol, interval: INTERVAL, coverage, lines: [], actions: [], isAll: results.length < limit, asOf: session, bars: results.map((bar) => turned(bar, sharesBetween(actions.results, bar.session_date, session))) };
  join(found, indicators, actions);
  for (const line of found.lines) turnLine(line, 1 / later.price);
  return found;
}

/** A session begins: where it is of other shares, what is known turns into them. Whether it did. */
export function turnInto(found, session) {
  if (session <= found.asOf) return false;
  const { price, volume } = sharesBetween(found.actions, found.asOf, session);
  found.asOf = session;
  if (price === 1 && volume === 1) return false;
  found.bars = found.bars.map((bar) => turned(bar, { price, volume }));
  for (const line of found.lines) turnLine(line, price);
  return true;
}

/** How many new shares there are for an old one, by what takes effect after a day and up to another: of a price, and of a volume. */
function sharesBetween(actions, after, until = "9999") {
  const felt = actions.filter(({ kind, ex_date: date, decision }) => (kind === "split" || kind === "spin_off") && date > after && date <= until && isFelt({ decision }));
  const product = (some) => some.reduce((whole, { value, numerator, denominator }) => whole * (numerator ? numerator / denominator : value), 1);
  return { price: product(felt), volume: product(felt.filter(({ kind }) => kind === "split")) };
}

function turned(bar, { price, volume }) {
  const of = Object.fromEntries(["open", "high", "low", "close"].map((name) => [name, bar[name] / price]));
  return { ...bar, ...of, volume: bar.volume == null ? null : Math.round(bar.volume * volume) };
}

/** Those that lie over the price are of it; others are of none. */
function turnLine(line, by) {
  if (line.pane === "price") line.values = line.values.map((value) => (value == null ? null : value / by));
}

export function dayBefore(session) {
  return new Date(Date.parse(`${session}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

/** What goes with the bars as they are now; what was known of those that the answer has not stays. */
function join(found, indicators, actions) {
  const places = new Map(indicators.times.map((time, index) => [Date.parse(time), index]));
  const before = found.lines;
  const along = (values, known) => found.bars.map((bar, at) => values[places.get(Date.parse(bar.opened_at))] ?? known?.values[at] ?? null);
  const lines = linesOf(indicators, (values, key, output) => along(values, before.find((line) => line.key === key && line.output === output)));
  Object.assign(found, {
    behind: null,
    lacking: indicators.lacking ?? actions.lacking,
    lines: indicators.lacking ? before : lines,
    actions: actions.lacking ? found.actions : actions.results.filter(isFelt).toReversed(),
  });
}

/** What bars have beside them is no reason to show none: where it is refused there is nothing, else it is lacking. */
function without(nothing) {
  return (error) => (error.status < 500 && error.status !== 429 ? nothing : { ...nothing, lacking: error });
}

/** What somebody kept out restates no price, and is no fact of the chart. */
function isFelt({ decision }) {
  return decision !== "kept_out";
}

function linesOf({ indicators }, along) {
  return Object.entries(indicators).flatMap(([key, { name, parameters, pane, values }]) =>
    Object.entries(values).map(([output, series]) => ({
      key, output, pane, name, values: along(series, key, output),
      label: [name.toUpperCase(), ...Object.values(parameters), ...(output === name ? [] : [output])].join(" "),
    })));
}

/** A bar that came: the last one moved, or a new one began. False where it belongs before them. */
export function takeBar({ bars, lines }, bar) {
  const last = bars.at(-1);
  if (!last || bar.opened_at < last.opened_at) return false;
  if (bar.opened_at === last.opened_at) bars[bars.length - 1] = bar;
  else {
    bars.push(bar);
    for (const line of lines) line.values.push(null);
  }
  return true;
}

/** What the stream has told since `found` was read goes on behind it, as `before` knows it; so does what is not there yet. */
export function goOn(found, before) {
  if (found.behind || found.lacking) carry(found, before);
  const last = found.bars.at(-1)?.opened_at ?? "";
  before.bars.forEach((bar, place) => {
    const isLater = bar.opened_at > last || (bar.opened_at === last && bar.received_at > found.bars.at(-1).received_at);
    if (!isLater) return;
    takeBar(found, bar);
    for (const line of found.lines) {
      const known = before.lines.find(({ key, output }) => key === line.key && output === line.output);
      if (known) line.values[line.values.length - 1] = known.values[place];
    }
  });
}

function carry(found, before) {
  const places = new Map(before.bars.map(({ opened_at: opened }, place) => [opened, place]));
  const along = (values) => found.bars.map(({ opened_at: opened }) => values[places.get(opened)] ?? null);
  if (!found.lines.length) found.lines = before.lines.map((line) => ({ ...line, values: along(line.values) }));
  if (!found.actions.length) found.actions = before.actions;
}

/** How many older bars `found` begins with; fewer than none where `before` began earlier. Null where they share none. */
export function olderThan({ bars: found }, { bars: before }) {
  const at = (bars, wanted) => bars.findIndex(({ opened_at: opened }) => opened === wanted?.opened_at);
  const [place, gone] = [at(found, before[0]), at(before, found[0])];
  return place >= 0 ? place : gone > 0 ? -gone : null;
}

/** Indicators of the last bar; those of another are not for here. */
export function takeIndicators({ bars, lines }, { values, session_date: session }) {
  if (bars.at(-1)?.session_date !== session) return false;
  for (const line of lines) line.values[bars.length - 1] = values[line.key]?.[line.output] ?? line.values[bars.length - 1];
  return true;
}

/** What a correction of bars says to a person. */
export function corrected({ from, to, reason }) {
  const span = from === to ? from : `${from} – ${to}`;
  const key = `corrected${reason[0].toUpperCase()}${reason.slice(1)}`;
  const said = word(key, { span });
  return said === key ? word("correctedRevision", { span }) : said;
}

/** The first day of a range that ends with the last bar: the same day of an earlier month, or that month's last. */
export function rangeStart(range, lastDate) {
  if (range === "All") return null;
  if (range === "YTD") return `${lastDate.slice(0, 4)}-01-01`;
  const months = { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range];
  const date = new Date(`${lastDate}T00:00:00Z`);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.toISOString().slice(0, 10);
}

function known(at) {
  return at && `&as_known_at=${encodeURIComponent(at)}`;
}
