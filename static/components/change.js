// The day's change of a price: one direction, and sign, arrow and colour by it wherever it is told.

import { decimalsOf, direction, percent, signed } from "../words/words.js";

const ARROWS = { up: "▲ ", down: "▼ ", flat: "" };

/** `towards` (up, down, flat), `amount` (+0.79), `share` (+0.14%), `whole` (▲ +0.79 (+0.14%)) and `brief` (▲ +0.14%). */
export function dayChange(quote, decimals) {
  const towards = direction(quote?.change);
  if (quote?.change == null) return { towards, amount: "–", share: "–", whole: "", brief: "" };
  const amount = signed(quote.change, decimalsOf(quote.current_price, decimals));
  const [share, arrow] = [percent(quote.change_percent), ARROWS[towards]];
  return { towards, amount, share, whole: `${arrow}${amount} (${share})`, brief: `${arrow}${share}` };
}
