// A symbol is added: asked for, looked for at the source, its history loaded; each step is told until it is done.

import { make } from "./element.js";
import { followed } from "./following.js";
import { post, put } from "./page.js";
import { reason } from "./states.js";
import { toast } from "./toast.js";
import { word } from "../words/words.js";

const STEPS = { "market.add_symbol": "addLooking", "market.backfill_chunk": "addLoading", "market.records": "addCounting" };

/** `told(text)` hears each step in the place of a toast. Whether it is collected now. */
export async function addSymbol(symbol, told = null) {
  const line = told ? null : toast(word("addLooking", { symbol }), { stays: true });
  const say = told ?? ((text) => (line.firstElementChild.textContent = text));
  say(word("addLooking", { symbol }));
  try {
    const { symbol: ticker, task_id: id } = await post("/api/v2/symbols/", { symbol });
    const job = id && (await followed(id, ({ name }) => say(word(STEPS[name] ?? "addLoading", { symbol: ticker }))));
    if (job && job.status !== "completed") throw Object.assign(new Error(job.error?.message), { says: job.error?.says });
    // Who keeps a list of their own has it there; on the house's is whatever is collected.
    await put(`/api/v2/watchlists/default/symbols/${encodeURIComponent(ticker)}/`).catch((error) => toast(reason(error), { isWrong: true }));
    say(word("added", { symbol: ticker }));
    line?.firstElementChild.append(" ", make("a", { href: `/symbols/${encodeURIComponent(ticker)}/`, textContent: word("addedOpen") }));
    return true;
  } catch (error) {
    line?.classList.add("wrong");
    say(word("addFailed", { symbol, reason: why(error) }));
    return false;
  }
}

/** The tickers of what may have been meant stand in a sentence that is English. */
function why(error) {
  const [, meant] = error.message?.match(/did you mean ([^?]+)\?/i) ?? [];
  if (meant) return word("didYouMean", { symbols: meant.split(" or ").join(", ") });
  if (error.status === 404) return word("addUnknown");
  return error.says || reason(error);
}
