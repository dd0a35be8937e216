// What is done with indicators once somebody has chosen others than the usual ones, or wants to.

import { brought } from "./brought.js";
import { catalogue } from "./catalogue.js";

/** What they are called, which the catalogue knows. */
export async function name(panel) {
  const { lines } = panel.chart;
  if (lines.names) return;
  lines.names = await catalogue().catch(() => null);
  if (lines.names) panel.redraw({ keepPlace: true });
}

let picking = null;

/** The picker is opened, and comes with the first who wants it. */
export async function pick(panel) {
  picking ??= panel.picker ? Promise.resolve(panel.picker) : brought(import("./picker.js").then(({ picker }) => picker(panel)));
  const made = await picking;
  picking = null;
  if (made.open) panel.picker ??= made;
  panel.picker?.open();
}
