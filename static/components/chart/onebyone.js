// Where one of some indicators is refused, as one that another version kept, it alone is left out.

import { get } from "../page.js";

export async function oneByOne(path, keys, signal) {
  const told = (await Promise.all(keys.map((key) => get(path + encodeURIComponent(key), { signal }).catch(() => null)))).filter(Boolean);
  const all = (name) => Object.assign({}, ...told.map((each) => each[name]));
  return { times: told[0]?.times ?? [], indicators: all("indicators"), reasons: all("reasons") };
}
