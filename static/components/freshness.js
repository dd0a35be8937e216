// How fresh a price is: a hue, a shape and a word, and its age.

import { besideWords } from "./beside.js";
import { SILENT_AFTER } from "./connection.js";
import { isRecorded } from "./frame.js";
import { AGES, reserve } from "./steady.js";
import { age, asOf, word } from "../words/words.js";

const DELAYED = 1_800_000; // as the server has it: exchanges give their prices so late

/** live, delayed, stale, closed, replay or waiting; `isFlowing` is whether prices can come at all. */
export function freshness(quote, isFlowing) {
  if (!quote) return "waiting";
  if (quote.replay) return "replay";
  const old = Date.now() - Date.parse(quote.received_at) > SILENT_AFTER;
  if (!isFlowing) return "stale";
  if (isRecorded) return old ? "stale" : "replay";
  if (quote.market_state !== "open") return ofClose(quote);
  if (old) return "stale";
  return quote.freshness === "delayed" ? "delayed" : "live";
}

/** A close is one until the exchange opens again, which the server tells before; from then on it is late. */
function ofClose(quote) {
  const opens = Date.parse(quote.closed_until ?? "");
  const late = Date.parse(quote.timestamp) < opens ? Date.now() - opens : -1;
  if (late < 0) return quote.freshness ?? "closed";
  return late <= DELAYED ? "delayed" : "stale";
}

/** A quote with what a message has told of it, which says no freshness: how late prices come stays as it was, and when
 * the exchange opens again while it is of the same session. */
export function updated(before, update) {
  const isSame = before?.market_state === update.market_state && update.market_state === "open";
  const until = before?.session_date === update.session_date ? before.closed_until : undefined;
  return { ...before, ...update, freshness: isSame ? before.freshness : undefined, closed_until: until };
}

/** A quote that was read again; where a newer price came meanwhile, that with what only a reading says. */
export function renewed(before, fresh) {
  if (!before || !fresh) return fresh ?? before;
  return before.received_at > fresh.received_at ? updated(fresh, before) : fresh;
}

/** A dot with the age of the price; the rest is told on hover. */
export function badge({ words = false } = {}) {
  const element = Object.assign(document.createElement("span"), { className: "status" });
  element.append(Object.assign(document.createElement("i"), { className: "shape", ariaHidden: "true" }));
  const text = element.appendChild(Object.assign(document.createElement("span"), { className: "age" }));
  if (!words) reserve(text, [...AGES.map(age), word("statusWaiting")]);
  return element;
}

export function showBadge(element, quote, isFlowing, zone, { words = false, decimals = null } = {}) {
  const status = freshness(quote, isFlowing);
  const [, text] = element.children;
  const old = quote ? age(Date.now() - Date.parse(quote.received_at)) : "";
  const said = word(`status${status[0].toUpperCase()}${status.slice(1)}`);
  element.dataset.status = status;
  const shown = words ? said : old || said;
  if (text.textContent !== shown) text.textContent = shown;
  if (!quote) return;
  const title = [said, quote.source, asOf(quote, zone), word("received", { age: old }), ...besideWords(quote, decimals)].join(" · ");
  if (element.title !== title) element.title = title;
}
