// Intervals longer than the bars that are held: the same weeks and months that the server would make of its days.

const DATED = { "1wk": monday, "1mo": (date) => `${date.slice(0, 7)}-01` };
const MADE_OF_DAYS = new Set(Object.keys(DATED));

export const isMade = (interval) => MADE_OF_DAYS.has(interval);

/** Days gathered into weeks or months, dated as the interface dates them; what is not gathered comes back as it is. */
export function gathered(history, interval) {
  if (!isMade(interval)) return history;
  const bars = [];
  for (const day of history.bars) {
    const date = DATED[interval](day.session_date);
    if (bars.at(-1)?.session_date === date) bars[bars.length - 1] = joined(bars.at(-1), day);
    else bars.push({ ...day, interval, session_date: date, opened_at: `${date}T00:00:00Z`, until: day.session_date });
  }
  return { ...history, interval, bars, lines: [] };
}

function joined(bar, day) {
  return {
    ...bar,
    high: Math.max(bar.high, day.high),
    low: Math.min(bar.low, day.low),
    close: day.close,
    volume: bar.volume == null && day.volume == null ? null : (bar.volume ?? 0) + (day.volume ?? 0),
    until: day.session_date,
  };
}

function monday(date) {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}
