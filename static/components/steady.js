// Room for the widest that a text may become, so that no change of it moves its neighbours. `.steady` in frame.css does it.

import { price } from "../words/words.js";

/** The element takes the room of the widest of these texts, whichever it shows. */
export function reserve(element, texts) {
  const room = [...new Set(texts)].join("\n");
  if (element.dataset.room === room) return;
  element.classList.add("steady");
  element.dataset.room = room;
}

/** Room for a figure of about this size in all decimals of its symbol, and to grow by half. Once given it stays until a
 * figure does not fit: a price that passes the size from which half more would need a digit more moves nothing.
 * `dress` writes around it what stands beside the figure in the same element. */
export function reserveFigure(element, value, decimals, dress = (figure) => figure) {
  if (value == null) return;
  const given = width(element.dataset.room ?? "");
  if (given && width(dress(zeros(Math.abs(value), decimals))) <= given) return;
  reserve(element, [dress(widest(value, decimals))]);
}

/** So wide is a figure of about this size, and half more, as it is written with all decimals of its symbol. */
export function widest(value, decimals) {
  return zeros(Math.abs(value) * 1.5, decimals);
}

function zeros(value, decimals) {
  const [whole, fraction = ""] = price(value, decimals).split(".").map((part) => part.replace(/\d/g, "0"));
  return decimals ? `${whole}.${fraction.padEnd(decimals, "0")}` : whole;
}

/** Letters of Korean and the like are twice as wide; figures are all alike. */
function width(text) {
  return [...text].reduce((sum, letter) => sum + (letter > "\u2fff" ? 2 : 1), 0);
}

/** Ages grow from seconds to days. */
export const AGES = [59_000, 3_540_000, 82_800_000, 8_553_600_000];
