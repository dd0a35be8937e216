// The page's words in its language, and numbers, times and ages as that language writes them.

const LANGUAGE = document.documentElement.lang || "en";
// A page's own words come last: `closed` is a market's for all, and a client's where connections are shown.
const told = ["#words", "template.words", "#page-words"].flatMap((kind) => [...document.querySelectorAll(kind)]);
const words = Object.assign({}, ...told.map(({ dataset }) => dataset));
const formats = new Map();

/** Words that come with a part which few visits use: a page of them. */
export function learn(page) {
  Object.assign(words, page.querySelector(".words").dataset);
}

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
  return price(value, Math.abs(value) >= 10 ? Math.min(2, decimals) : decimals);
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

/** How long until something, to the minute: 17 h 5 min, 2 d 17 h. */
export function countdown(seconds) {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  if (minutes < 24 * 60) return duration(minutes * 60);
  const days = word("days", { n: Math.floor(minutes / 1440) });
  const hours = Math.floor((minutes % 1440) / 60);
  return hours ? `${days} ${word("hours", { n: hours })}` : days;
}

/** The zone by whose clock times are told, as this person chose: theirs, or of a market's times the market's own. */
export function zoneOf(market) {
  const chosen = document.documentElement.dataset.timeZone ?? "market";
  if (chosen === "market" && market) return market;
  return chosen === "market" || chosen === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : chosen;
}

/** An instant on this person's clock, with its zone. */
export function moment(time) {
  const [at, timeZone] = [new Date(time), zoneOf()];
  const zone = dates("en", { timeZoneName: "short", timeZone }).formatToParts(at);
  return `${written(at, timeZone)} ${zone.find(({ type }) => type === "timeZoneName").value}`;
}

export function clock(time) {
  return moment(time).slice(11, 19);
}

/** When something opens, as short as it can be told: 15:30, and from a day on Mon 15:30. */
export function opening(time) {
  const [at, timeZone] = [new Date(time), zoneOf()];
  const day = time - Date.now() < 86_400_000 ? "" : `${dates(LANGUAGE, { weekday: "short", timeZone }).format(at)} `;
  return day + clock(time).slice(0, 5);
}

/** A plain number: 1,204 or, with decimals, 3.5. */
export function count(value, decimals = 0) {
  return value == null ? "–" : number(value, { maximumFractionDigits: decimals });
}

/** The time of a price: its session where only that is known, else the clock of the exchange or the one chosen. */
export function asOf(quote, zone) {
  if (quote.as_of_precision === "day") return word("session", { date: quote.session_date });
  const timeZone = zoneOf(zone || "UTC");
  return word("asOf", { time: written(new Date(quote.timestamp), timeZone), zone: timeZone });
}

function written(at, timeZone) {
  return dates("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone }).format(at);
}

function dates(language, options) {
  const key = language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, options));
  return formats.get(key);
}

function number(value, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(LANGUAGE, options));
  return formats.get(key).format(value).replace("-", "−");
}
