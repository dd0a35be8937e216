// A symbol's daily bars with the indicators that go with them, from the public interface.

import { get } from "./page.js";

/** The interval of all that a page shows. */
export const INTERVAL = "1d";
const MOST = 10_000;

/** `bars` oldest first, and `average` and `oscillator`, one value for each bar or null. */
export async function history(symbol, { period = "max", limit = MOST } = {}) {
  const name = encodeURIComponent(symbol);
  const [{ results: bars }, indicators] = await Promise.all([
    get(`/api/v2/symbols/${name}/bars/?interval=${INTERVAL}&adjusted=split&limit=${limit}`),
    get(`/api/v2/technical-analysis/indicators/${name}?interval=${INTERVAL}&period=${period}&indicators=sma_20,rsi_14`).catch(nothing),
  ]);
  const places = new Map(indicators.times.map((time, index) => [Date.parse(time), index]));
  const along = (key, value) => {
    const values = indicators.indicators[key]?.values?.[value] ?? [];
    return bars.map((bar) => values[places.get(Date.parse(bar.opened_at))] ?? null);
  };
  return { bars, average: along("sma_20", "sma"), oscillator: along("rsi_14", "rsi") };
}

/** Too little history for an indicator is no reason to show no bars. */
function nothing() {
  return { times: [], indicators: {} };
}

/** The first day of a range that ends with the last bar: the same day of an earlier month, or that month's last. */
export function rangeStart(range, lastDate) {
  if (range === "All") return null;
  if (range === "YTD") return `${lastDate.slice(0, 4)}-01-01`;
  const months = { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range];
  const date = new Date(`${lastDate}T00:00:00Z`);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.toISOString().slice(0, 10);
}
