// `?`: every key of this page.

import { make } from "./element.js";
import { toldKeys } from "./keys.js";
import { word } from "../words/words.js";

const dialog = document.querySelector("[data-keysheet]");

const EVERYWHERE = [
  [["/", "Ctrl K"], word("keySearch")],
  [["?"], word("keyKeys")],
  [["Esc"], word("keyClose")],
];

export function showKeys() {
  if (!dialog || document.querySelector("dialog[open]")) return;
  dialog.querySelector("dl").replaceChildren(...[...EVERYWHERE, ...toldKeys()].map(([keys, does]) => line(keys, does)));
  dialog.showModal();
}

function line(keys, does) {
  return make("div", {}, make("dt", {}, ...keys.map((key) => make("kbd", { textContent: key }))), make("dd", { textContent: does }));
}

dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close());
