// A price of before or after the session: it stands beside the close until the session opens, with a change of its own.

import { dayChange } from "./change.js";
import { make } from "./element.js";
import { setText } from "./frame.js";
import { reserve, reserveFigure } from "./steady.js";
import { asOf, price, word } from "../words/words.js";

/** What stands beside a quote now; null where nothing does. */
function standing(quote) {
  const told = quote?.extended;
  return told && Date.now() < Date.parse(told.until) ? told : null;
}

function change(told, decimals) {
  return dayChange({ ...told, current_price: told.price }, decimals);
}

const name = (told) => word(told.session === "pre" ? "besidePre" : "besidePost");

/** "Pre-market 675.14 ▲ +0.40%", to be told with a price; nothing where none stands there. */
export function besideWords(quote, decimals) {
  const told = standing(quote);
  return told ? [[name(told), price(told.price, decimals), change(told, decimals).brief].join(" ").trim()] : [];
}

/** The same as a quiet line, in the room that is kept for it; where the page keeps none, nothing. */
export function besideLine(line, decimals, zone) {
  if (!line) return () => {};
  const [session, figure, by] = ["span", "b", "span"].map((tag) => make(tag));
  by.className = "by";
  reserve(by, ["▲ −00.00%"]);
  line.append(session, " ", figure, " ", by);
  return (quote) => {
    const told = standing(quote);
    line.dataset.direction = told ? change(told, decimals).towards : "flat";
    reserveFigure(figure, told?.price, decimals);
    setText(session, told ? name(told) : "");
    setText(figure, told ? price(told.price, decimals) : "");
    setText(by, told ? change(told, decimals).brief : "");
    line.title = told ? asOf({ ...told, as_of_precision: "second" }, zone) : "";
  };
}
