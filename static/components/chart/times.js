// How the chart names a bar: by its date, or within a session by the clock of the exchange.

const LONG = new Set(["1d", "1wk", "1mo"]);
const clocks = new Map();

/** The zone whose clock the bars of an interval are read by; null for whole sessions, which have a date alone. */
export function zoneOf(interval, zone) {
  return LONG.has(interval) ? null : zone;
}

/** A date, or seconds: the axis knows no zones, so that the exchange's clock is told as if it were UTC's. */
export function timeOf({ opened_at: opened, session_date: date }, zone) {
  return zone ? Date.parse(`${clock(zone).format(new Date(opened)).replace(" ", "T")}Z`) / 1000 : date;
}

/** As a person reads it: 2012-08-31, or 2012-08-31 09:30. */
export function timeText(bar, zone) {
  return zone ? clock(zone).format(new Date(bar.opened_at)).slice(0, 16) : bar.session_date;
}

const DAY = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", timeZone: "UTC" });

/** A day on the axis: Oct 2. */
export function dayText(time) {
  return DAY.format(typeof time === "number" ? time * 1000 : Date.parse(`${time}T00:00:00Z`));
}

function clock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone }));
  return clocks.get(zone);
}
