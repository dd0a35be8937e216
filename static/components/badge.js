// How something stands: a hue, a shape and a word, in each list the same.

import { make } from "./element.js";
import { setText } from "./frame.js";

export function badge() {
  return make("span", { className: "badge" }, make("i", { className: "shape", ariaHidden: "true" }), make("span"));
}

/** `state` chooses hue and shape: pending, running, retrying, completed, partial, failed, timed_out, cancelled. */
export function showBadge(element, state, text) {
  if (element.dataset.badge !== state) element.dataset.badge = state;
  setText(element.lastElementChild, text);
}
