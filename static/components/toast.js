// A word at the lower edge about what was just done, with a way back where there is one; it waits while it is looked at.

import { make } from "./element.js";
import { word } from "../words/words.js";

const STAYS = 6000;
const MOST = 3;
let shelf = null;

/** `undo()` takes it back; without it the word is only told. What `stays` goes when it is closed. */
export function toast(text, { undo = null, isWrong = false, stays = false } = {}) {
  shelf ??= document.body.appendChild(make("div", { className: "toasts", attributes: { role: "status", "aria-live": "polite" } }));
  const made = make("p", { className: isWrong ? "toast wrong" : "toast" }, make("span", { textContent: text }));
  if (undo) made.append(button(word("undo"), "undo", () => take(made, undo)));
  made.append(button("×", "close", () => made.remove(), word("closeToast")));
  shelf.append(made);
  while (shelf.children.length > MOST) shelf.firstElementChild.remove();
  if (stays) return made;
  let going = setTimeout(() => made.remove(), STAYS);
  for (const comes of ["pointerenter", "focusin"]) made.addEventListener(comes, () => clearTimeout(going));
  for (const goes of ["pointerleave", "focusout"]) made.addEventListener(goes, () => {
    clearTimeout(going);
    going = setTimeout(() => made.remove(), STAYS);
  });
  return made;
}

function take(made, undo) {
  made.remove();
  undo();
}

function button(textContent, className, act, label = "") {
  const made = make("button", { type: "button", className, textContent, ...(label && { ariaLabel: label }) });
  made.addEventListener("click", act);
  return made;
}
