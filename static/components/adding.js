// A symbol is added: asked for, looked for at the source, its history loaded; each step is told until it is done.

import { make } from "./element.js";
import { followed } from "./following.js";
import { post, put } from "./page.js";
import { reason } from "./states.js";
import { toast } from "./toast.js";
import { count, word } from "../words/words.js";

const STEPS = { "market.add_symbol": "addLooking", "market.backfill_chunk": "addLoading", "market.records": "addCounting" };

/** Each step is told in `place`, an element, or in a toast; behind it a bar says how far it is. Whether it is collected now. */
export async function addSymbol(symbol, place = null) {
  const line = place ? null : toast(word("addLooking", { symbol }), { stays: true });
  const told = place ?? line.firstElementChild;
  const bar = make("progress", { className: "adding-bar", max: 1, value: 0, ariaLabel: word("addProgress", { symbol }) });
  told.after(bar);
  const say = (text) => (told.textContent = text);
  const step = ({ name }, share, ticker) => {
    bar.value = share;
    say(`${word(STEPS[name] ?? "addLoading", { symbol: ticker })} ${count(Math.round(100 * share))} %`);
  };
  say(word("addLooking", { symbol }));
  try {
    const { symbol: ticker, task_id: id } = await post("/api/v2/symbols/", { symbol });
    const job = id && (await followed(id, (job, share) => step(job, share, ticker)));
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
  } finally {
    bar.remove();
  }
}

/** The tickers of what may have been meant stand in a sentence that is English. */
function why(error) {
  const [, meant] = error.message?.match(/did you mean ([^?]+)\?/i) ?? [];
  if (meant) return word("didYouMean", { symbols: meant.split(" or ").join(", ") });
  if (error.status === 404) return word("addUnknown");
  return error.says || reason(error);
}
