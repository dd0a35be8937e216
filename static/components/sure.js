// A button of what can't be undone: the first press asks, a second one within some seconds does it.

import { make } from "./element.js";

const WITHIN = 4000;

/** `asks` is shown in place of `text` after the first press; `label` names the button where its text does not say of what. */
export function sureButton(text, asks, label, act) {
  const made = make("button", { type: "button", className: "button", textContent: text, ariaLabel: label });
  const calm = () => {
    made.classList.remove("sure");
    made.textContent = text;
    made.ariaLabel = label;
  };
  made.addEventListener("click", async () => {
    if (!made.classList.contains("sure")) {
      made.classList.add("sure");
      made.textContent = asks;
      made.ariaLabel = `${label}: ${asks}`;
      setTimeout(calm, WITHIN);
      return;
    }
    made.disabled = true;
    try {
      await act();
    } finally {
      made.disabled = false;
      calm();
    }
  });
  return made;
}
