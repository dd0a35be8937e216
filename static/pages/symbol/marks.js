// Signals as marks on the chart: read once it stands, and again as new ones come.

import { get } from "../../components/page.js";

const SOON = 1000;

/** `mark` hears [{direction, date, text}]; `stream` of new ones. What can't be read leaves the marks as they are. */
export async function markSignals({ symbol }, stream, mark) {
  const path = `/api/v2/symbols/${encodeURIComponent(symbol)}/signals/marks/?language=${document.documentElement.lang}`;
  let due = null;

  async function read() {
    const { marks } = await get(path).catch(() => ({ marks: null }));
    if (marks) mark(marks.map(({ direction, session_date: date, title }) => ({ direction, date, text: title })));
  }

  function soon() {
    due ??= setTimeout(() => {
      due = null;
      read();
    }, SOON);
  }

  stream.on("signal", soon).on("epoch", soon).subscribe("signals", [symbol]);
  await read();
}
