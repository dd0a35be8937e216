// The page's words in its language, and numbers, times and ages as that language writes them.

const LANGUAGE = document.documentElement.lang || "en";
const words = { ...document.getElementById("words")?.dataset, ...document.getElementById("page-words")?.dataset };
const formats = new Map();

export function word(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** At most so many decimals, and at least two where the symbol has them: 665.76, 620.914, 71,500. */
export function price(value, decimals = 2) {
  return value == null ? "–" : number(value, { minimumFractionDigits: Math.min(2, decimals), maximumFractionDigits: decimals });
}

/** A value made of prices needs no more decimals than a person reads. */
export function derived(value, decimals) {
  return price(value, value >= 10 ? Math.min(2, decimals) : decimals);
}

/** How many decimals a price shows: the change beside it shows no more. */
export function decimalsOf(value, decimals) {
  return price(value, decimals).split(".")[1]?.length ?? 0;
}

/** A change with its sign: +1.25, −1.25, 0.00. */
export function signed(value, decimals = 2) {
  if (value == null) return "–";
  const text = price(Math.abs(value), decimals);
  if (Number(Math.abs(value).toFixed(decimals)) === 0) return text;
  return (value > 0 ? "+" : "−") + text;
}

export function percent(value) {
  return value == null ? "–" : `${signed(value, 2)}%`;
}

export function compact(value) {
  return value == null ? "–" : number(value, { notation: "compact", maximumFractionDigits: 1 });
}

export function direction(change) {
  if (!change) return "flat";
  return change > 0 ? "up" : "down";
}

/** How long ago, in the one unit that matters. */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return word("seconds", { n: seconds });
  if (seconds < 3600) return word("minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return word("hours", { n: Math.floor(seconds / 3600) });
  return word("days", { n: Math.floor(seconds / 86_400) });
}

/** How long something takes or took, as exactly as a person compares it: 84 ms, 2.4 s, 3 min 20 s. */
export function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.9995) return word("milliseconds", { n: Math.max(seconds > 0 ? 1 : 0, Math.round(seconds * 1000)) });
  if (seconds < 59.95) return word("seconds", { n: count(seconds, seconds < 9.995 ? 2 : 1) });
  const whole = Math.round(seconds);
  const [large, small] = whole < 3600 ? [["minutes", 60], ["seconds", 1]] : [["hours", 3600], ["minutes", 60]];
  const rest = Math.floor((whole % large[1]) / small[1]);
  const first = word(large[0], { n: Math.floor(whole / large[1]) });
  return rest ? `${first} ${word(small[0], { n: rest })}` : first;
}

const INSTANT = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const ZONE = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** An instant on this person's clock, with its zone. */
export function moment(time) {
  const at = new Date(time);
  return `${INSTANT.format(at)} ${ZONE.formatToParts(at).find(({ type }) => type === "timeZoneName").value}`;
}

export function clock(time) {
  return moment(time).slice(11, 19);
}

/** A plain number: 1,204 or, with decimals, 3.5. */
export function count(value, decimals = 0) {
  return value == null ? "–" : number(value, { maximumFractionDigits: decimals });
}

/** The market's time of a price: its session where only that is known, else the clock of the exchange. */
export function asOf(quote, zone) {
  if (quote.as_of_precision === "day") return word("session", { date: quote.session_date });
  const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: zone || "UTC" };
  const at = new Date(quote.timestamp);
  const date = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: zone || "UTC" }).format(at);
  return word("asOf", { time: `${date} ${new Intl.DateTimeFormat(LANGUAGE, parts).format(at)}`, zone: zone || "UTC" });
}

function number(value, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(LANGUAGE, options));
  return formats.get(key).format(value).replace("-", "−");
}
