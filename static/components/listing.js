// A symbol is put on one's own watchlist and taken off; its history stays, and what was taken off comes back by Undo.

import { get, put, remove } from "./page.js";
import { reason } from "./states.js";
import { toast } from "./toast.js";
import { word } from "../words/words.js";

const path = (symbol) => `/api/v2/watchlists/default/symbols/${encodeURIComponent(symbol)}/`;

export async function isListed(symbol) {
  const { results } = await get(`/api/v2/watchlists/?symbol=${encodeURIComponent(symbol)}`);
  return results.some(({ id }) => id === "default");
}

/** `changed(isOn)` hears what the list is now, also where somebody takes it back. Whether it could be done. */
export async function list(symbol, isOn, changed = () => {}) {
  try {
    await (isOn ? put : remove)(path(symbol));
    changed(isOn);
    toast(word(isOn ? "listed" : "unlisted", { symbol }), { undo: () => list(symbol, !isOn, changed) });
    return true;
  } catch (error) {
    toast(reason(error), { isWrong: true });
    return false;
  }
}
