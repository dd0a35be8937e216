// Symbols are suggested where one types them: after the last comma where several are meant.

import { make } from "./element.js";
import { get } from "./page.js";

const MOST = 12;
let known = null;

/** `isMany`: several stand in it, with commas between. */
export function suggestSymbols(input, { isMany = false } = {}) {
  const list = make("datalist", { id: `${input.id}-symbols` });
  input.setAttribute("list", list.id);
  input.after(list);
  const show = async () => list.replaceChildren(...(await options(input.value, isMany)));
  input.addEventListener("focus", show);
  input.addEventListener("input", show);
}

async function options(text, isMany) {
  const symbols = await (known ??= read());
  const at = isMany ? Math.max(text.lastIndexOf(","), text.trimEnd().lastIndexOf(" ")) + 1 : 0;
  const [before, begun] = [text.slice(0, at), text.slice(at).trim().toUpperCase()];
  const there = new Set(before.toUpperCase().split(/[,\s]+/));
  const found = symbols.filter(({ symbol, names }) => !there.has(symbol) && (symbol.startsWith(begun) || names.some((name) => name.startsWith(begun))));
  return found.slice(0, MOST).map(({ symbol, name }) => make("option", { value: `${before}${before && !before.endsWith(" ") ? " " : ""}${symbol}`, label: name }));
}

/** Asked once; where it does not come nothing is suggested, and it is asked again with the next focus. */
async function read() {
  try {
    const { results } = await get("/api/v2/symbols/?limit=1000&active=true");
    return results.map(({ symbol, name, local_name: local }) => ({ symbol, name: local || name, names: [name, local].filter(Boolean).map((each) => each.toUpperCase()) }));
  } catch {
    known = null;
    return [];
  }
}
