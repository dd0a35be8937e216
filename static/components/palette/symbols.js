// The symbols that the palette knows: the first thousand once, and what the server finds beyond them.

import { get } from "../page.js";
import { saying } from "./matching.js";
import { KOREAN_NAMES } from "../../words/koreannames.js";

const FIRST = "/api/v2/symbols/?limit=1000&active=true";
const FOUND = 12;
const TYPING = 150; // a word is asked for when its typist pauses
const MOST_KEPT = 100;

let loading = null;
const kept = new Map();
let asking = null;

/** The list; asked for once, and again after it did not come. */
export function symbols() {
  loading ??= get(FIRST).then(
    ({ results, next }) => ({ entries: results.map((row, order) => ({ ...entry(row), order })), isWhole: !next }),
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** What the server finds for a text, also by former names and other spellings; null where another was asked for
 * meanwhile. What was asked before is at hand. */
export function search(text) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (!kept.has(text)) {
    const found = pause(signal).then(() => get(`/api/v2/symbols/?limit=${FOUND}&active=true&search=${encodeURIComponent(text)}`, { signal }));
    keep(text, found.then(({ results }) => results.map((row, order) => ({ ...entry(row), order }))));
  }
  return kept.get(text).catch((error) => {
    kept.delete(text);
    if (signal.aborted) return null;
    throw error;
  });
}

export function cancelSearch() {
  asking?.abort();
}

function entry({ symbol, name, local_name: localName }) {
  const at = KOREAN_NAMES[symbol] ?? "";
  return {
    id: `symbol:${symbol}`, kind: "symbol", title: symbol, name: localName && document.documentElement.lang.startsWith("ko") ? localName : name,
    said: saying(symbol, name, localName, at), href: `/symbols/${encodeURIComponent(symbol)}/`,
  };
}

function pause(signal) {
  return new Promise((resolve, reject) => {
    setTimeout(() => (signal.aborted ? reject(signal.reason) : resolve()), TYPING);
  });
}

function keep(text, found) {
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value);
  kept.set(text, found);
}
