// What is held of a symbol's bars of one interval, in words, and the sessions that it lacks. Words: parts/held_words.html.

import { get } from "./page.js";
import { count, moment, word } from "../words/words.js";

const GAPS = 3;

/** Of a row of /api/v2/coverage/: the state of a badge, its word, and what more is to say. */
export function heldState(row) {
  const more = [
    row.quarantined && word("heldBack", { n: count(row.quarantined) }), row.refused && word("barsRefused", { n: count(row.refused) }),
    row.suspended_until && Date.parse(row.suspended_until) > Date.now() && word("suspended", { time: moment(row.suspended_until) }),
    row.held && !row.unbroken_until && word("noCalendar"), !row.is_active && word("notCollected"),
  ].filter(Boolean).join(" · ");
  if (row.unknown_since) return ["failed", word("unknownSince", { date: moment(row.unknown_since) }), more];
  if (row.interval === "1d" && !row.is_complete) return ["pending", word("unloaded"), more];
  if (row.is_torn) return ["partial", word("torn", { date: row.unbroken_until }), more];
  return ["completed", word("whole"), more];
}

/** From which session to which. */
export function heldSpan({ first_session: first, last_session: last }) {
  return first ? `${first} – ${last}` : "–";
}

export function gapsOf(symbol, interval) {
  return get(`/api/v2/symbols/${encodeURIComponent(symbol)}/gaps/?interval=${interval}`);
}

/** The newest of them, and how many more there are. */
export function gapsText({ gaps, count: runs, known_until: until }) {
  if (!until) return word("noCalendar");
  const told = gaps.slice(0, GAPS).map(({ first, last, sessions }) => (first === last ? first : word("gapRun", { first, last, n: sessions })));
  return [...told, runs > GAPS && word("andMore", { n: count(runs - GAPS) })].filter(Boolean).join(", ") || "–";
}
