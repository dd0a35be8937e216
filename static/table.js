// The chart's data as a table, newest first: the same numbers for those who read rather than see.

import { derived, price } from "./words.js";

const MOST = 260;

export function showTable(box, { bars, average, oscillator }, decimals) {
  const of = (value) => price(value, decimals);
  const rows = [];
  for (let place = bars.length - 1; place >= Math.max(0, bars.length - MOST); place -= 1) {
    const bar = bars[place];
    const volume = bar.volume == null ? "–" : price(bar.volume, 0);
    rows.push(line([bar.session_date, of(bar.open), of(bar.high), of(bar.low), of(bar.close), volume, derived(average[place], decimals), price(oscillator[place], 1)]));
  }
  box.querySelector("tbody").replaceChildren(...rows);
}

function line(values) {
  const row = document.createElement("tr");
  values.forEach((text, place) => {
    const cell = document.createElement(place ? "td" : "th");
    if (!place) cell.scope = "row";
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}
