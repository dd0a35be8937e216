// Parts that few visits use, brought when they are asked for.

import { toast } from "../toast.js";
import { word } from "../../words/words.js";

/** `brought(import("./image.js"))`: what the part has; nothing of it, and a word, where it does not come. */
export async function brought(coming) {
  return coming.catch(() => {
    toast(word("notCome"), { isWrong: true });
    return {};
  });
}
