// A button that copies a text, and says whether it did.

import { button } from "./element.js";
import { word } from "../words/words.js";

const SAID_FOR = 2000;

export function copying(text) {
  const made = button(word("copy"), async () => {
    try {
      await navigator.clipboard.writeText(text());
      made.textContent = word("copied");
    } catch {
      made.textContent = word("copyFailed");
    }
    setTimeout(() => (made.textContent = word("copy")), SAID_FOR);
  });
  made.setAttribute("aria-live", "polite");
  return made;
}
