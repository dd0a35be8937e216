// How fresh a price is: a hue, a shape and a word, and its age.

import { isRecorded } from "./frame.js";
import { age, asOf, word } from "./words.js";

const STALE_AFTER = 90_000;
const STALE_AFTER_RECORDED = 180_000;

/** live, delayed, stale, closed, replay or waiting; `isFlowing` is whether prices can come at all. */
export function freshness(quote, isFlowing) {
  if (!quote) return "waiting";
  const old = Date.now() - Date.parse(quote.received_at) > (isRecorded ? STALE_AFTER_RECORDED : STALE_AFTER);
  if (!isFlowing) return "stale";
  if (isRecorded) return old ? "stale" : "replay";
  // The server knows whether the exchange has opened since.
  if (quote.market_state === "closed") return quote.freshness ?? "closed";
  if (old) return "stale";
  return quote.freshness === "delayed" ? "delayed" : "live";
}

/** A quote with what a message has told of it, which says no freshness: how late prices come stays as it was. */
export function updated(before, update) {
  const isSame = before?.market_state === update.market_state && update.market_state !== "closed";
  return { ...before, ...update, freshness: isSame ? before.freshness : undefined };
}

/** A dot with the age of the price; the rest is told on hover. */
export function badge() {
  const element = Object.assign(document.createElement("span"), { className: "status" });
  element.append(Object.assign(document.createElement("i"), { className: "shape", ariaHidden: "true" }));
  element.append(Object.assign(document.createElement("span"), { className: "age" }));
  return element;
}

export function showBadge(element, quote, isFlowing, zone, { words = false } = {}) {
  const status = freshness(quote, isFlowing);
  const [, text] = element.children;
  const old = quote ? age(Date.now() - Date.parse(quote.received_at)) : "";
  const said = word(`status${status[0].toUpperCase()}${status.slice(1)}`);
  element.dataset.status = status;
  const shown = words ? said : old || said;
  if (text.textContent !== shown) text.textContent = shown;
  if (!quote) return;
  const title = [said, quote.source, asOf(quote, zone), word("received", { age: old })].join(" · ");
  if (element.title !== title) element.title = title;
}
