// Every indicator there is, as the page's language calls it; asked for once, where somebody has chosen or chooses.

import { get } from "../page.js";

const LANGUAGE = document.documentElement.lang.split("-")[0];
let coming = null;

/** By name: what the interface's catalogue says of each, in its order. */
export function catalogue() {
  coming ??= get(`/api/v2/technical-analysis/catalogue?language=${LANGUAGE}`).then(({ indicators }) => new Map(indicators.map((entry) => [entry.name, entry])));
  coming.catch(() => (coming = null));
  return coming;
}
