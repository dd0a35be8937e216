// A symbol's bars with the indicators and the splits and dividends that go with them, from the public interface.

import { get } from "../page.js";
import { word } from "../../words/words.js";
import { HUES } from "./lines.js";

/** The interval that bars come in; weeks and months are made of them. */
export const INTERVAL = "1d";
/** Indicators that a chart shows until somebody chooses. */
export const DRAWN = ["sma_20", "rsi_14"];
const MOST = 10_000;
const WITHIN = { period: "1mo", limit: 1000 }; // sessions of bars that are shorter
// Bars of a year and some days more: exchanges rest at weekends and on holidays, currencies at weekends alone.
const YEARS = { crypto: 375, currency: 270, future: 270 };
const YEAR = 258;
const MANY = 5; // outputs, as levels have them, that are drawn alike
const UNSEEN = new Set(["direction", "histogram", "marker"]);
const NONE = { times: [], indicators: {} };
const TOGETHER = 150; // ms that bars wait for what goes with them: drawn once is calmer than twice

/** Of one that is measured against another symbol, which its key names: no stream tells it. */
export function isCompared(key) {
  return key.includes("~");
}

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
export async function history(symbol, { period = "max", limit = MOST, interval = INTERVAL, adjusted = "split", knownAt = "", indicators = DRAWN, signal } = {}) {
  const name = encodeURIComponent(symbol);
  const beside = Promise.all([
    knownAt ? NONE : indicatorsOf(symbol, indicators, { interval, adjusted, period, signal }),
    get(`/api/v2/symbols/${name}/actions/?limit=500${known(knownAt)}`, { signal }).catch(without({ results: [] })),
  ]);
  const found = await barsOf(symbol, { limit, interval, adjusted, knownAt, signal });
  const { bars } = found;
  found.isAll = period === "max" || !bars.length || (bars.length < limit && rangeStart("1Y", bars.at(-1).session_date) <= bars[0].session_date);
  found.behind = beside.then(([told, actions]) => signal?.aborted || join(found, told, actions, indicators));
  await Promise.race([found.behind, new Promise((soon) => setTimeout(soon, TOGETHER))]);
  return found;
}

/** The answer of some indicators. Where one of them is refused, as of another version, it alone is left out. */
export async function indicatorsOf(symbol, keys, { interval = INTERVAL, adjusted = "split", period, signal }) {
  if (!keys.length) return NONE;
  const path = `/api/v2/technical-analysis/indicators/${encodeURIComponent(symbol)}?interval=${interval}&adjusted=${adjusted}&period=${period}&indicators=`;
  try {
    return await get(path + keys.map(encodeURIComponent).join(), { signal });
  } catch (error) {
    return error.status === 400 ? (await import("./onebyone.js")).oneByOne(path, keys, signal) : without(NONE)(error);
  }
}

/** The lines of an answer along bars; what was known of those that it does not reach stays. */
export function answerAlong({ bars, lines: before }, told, keys) {
  const along = alongBars(bars, told.times);
  return linesOf(told, keys, (values, key, output) => along(values, before.find((line) => line.key === key && line.output === output)));
}

function alongBars(bars, times) {
  const places = new Map(times.map((time, index) => [Date.parse(time), index]));
  return (values, known) => bars.map((bar, at) => values[places.get(Date.parse(bar.opened_at))] ?? known?.values[at] ?? null);
}

/** What goes with the bars as they are now; what was known of those that the answer has not stays. */
export function join(found, indicators, actions, keys) {
  Object.assign(found, {
    behind: null,
    lacking: indicators.lacking ?? actions.lacking,
    lines: indicators.lacking ? found.lines : answerAlong(found, indicators, keys),
    actions: actions.lacking ? found.actions : actions.results.filter(isFelt).toReversed(),
  });
}

/** What bars have beside them is no reason to show none: where it is refused there is nothing, else it is lacking. */
function without(nothing) {
  return (error) => (error.status < 500 && error.status !== 429 ? nothing : { ...nothing, lacking: error });
}

/** What somebody kept out restates no price, and is no fact of the chart. */
export function isFelt({ decision }) {
  return decision !== "kept_out";
}

/** In the order in which they were asked for; each takes the next hues, bands one for both. */
function linesOf({ indicators, reasons = {} }, keys, along) {
  let hues = 0;
  return keys.filter((key) => key in indicators).flatMap((key) => {
    const { name, parameters, pane, values, unit = pane, styles = {}, levels = [], offsets = {}, against } = indicators[key];
    const outputs = Object.keys(values);
    const label = [name.toUpperCase().replace(/^CDL/, ""), ...Object.values(parameters), ...(against ? [against] : [])].join(" ");
    const isBand = Object.values(styles).includes("upper") || outputs.length > MANY;
    const first = hues;
    hues += isBand ? 1 : outputs.filter((output) => !UNSEEN.has(styles[output])).length;
    return outputs.map((output, place) => ({
      key, output, pane, name, unit, levels, isBand, isFirst: !place, values: along(values[output], key, output),
      style: styles[output] ?? "line", offset: offsets[output] ?? 0, reason: reasons[key] ?? "",
      hue: HUES[(first + (isBand ? 0 : place)) % HUES.length],
      label: [label, ...(output === name ? [] : [output])].join(" "),
      brief: place ? output.replace(new RegExp(`^${name}|band$`, "g"), "") : label,
    }));
  });
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
  return monthsBefore(lastDate, { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range]);
}

export function monthsBefore(session, months) {
  const date = new Date(`${session}T00:00:00Z`);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.toISOString().slice(0, 10);
}

function known(at) {
  return at && `&as_known_at=${encodeURIComponent(at)}`;
}
