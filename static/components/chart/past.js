// A symbol's bars as they were known when a session began, and what becomes of them as sessions are played.

import { get } from "../page.js";
import { DRAWN, indicatorsOf, INTERVAL, isFelt, join, monthsBefore } from "./history.js";

const MOST = 10_000;
const SESSIONS = 250; // a year has no fewer
const PERIODS = { "1y": 12, "2y": 24, "5y": 60, "10y": 120 }; // in months
const DAY = 86_400_000;

/** Days as they were known when a session began: those before it, in its shares. As `history` has them. `newest`: the day
 * that is held last, from which what is computed is counted back.
 */
export async function historyBefore(symbol, session, { limit = MOST, since = daysBefore(session, (limit / SESSIONS) * 365), newest = "", indicators: keys = DRAWN, signal } = {}) {
  const name = encodeURIComponent(symbol);
  const period = Object.entries(PERIODS).find(([, months]) => monthsBefore(newest, months) <= since)?.[0] ?? "max";
  const [{ results, coverage }, indicators, actions] = await Promise.all([
    get(`/api/v2/symbols/${name}/bars/?interval=${INTERVAL}&adjusted=raw&limit=${limit}&end=${dayBefore(session)}`, { signal }),
    indicatorsOf(symbol, keys, { period, signal }),
    get(`/api/v2/symbols/${name}/actions/?limit=500`, { signal }),
  ]);
  const later = sharesBetween(actions.results, session);
  const found = { symbol, interval: INTERVAL, coverage, lines: [], actions: [], isAll: results.length < limit, asOf: session, bars: results.map((bar) => turned(bar, sharesBetween(actions.results, bar.session_date, session))) };
  join(found, indicators, actions, keys);
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

/** What is counted in prices is of other shares then, and what is counted in shares; the rest is of none. */
function turnLine(line, by) {
  const times = { price: 1 / by, volume: by }[line.unit];
  if (times) line.values = line.values.map((value) => (value == null ? null : value * times));
}

export function dayBefore(session) {
  return daysBefore(session, 1);
}

function daysBefore(session, days) {
  return new Date(Date.parse(`${session}T00:00:00Z`) - days * DAY).toISOString().slice(0, 10);
}
