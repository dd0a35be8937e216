// Key figures of a symbol, for the pane of the watchlist and the side of the symbol page.

import { drawMeter, meter } from "./drawing.js";
import { setText } from "./frame.js";
import { compact, derived, price, word } from "./words.js";

const names = { ...document.getElementById("figure-words")?.dataset };

/** Fill a definition list with the rows of a symbol; called again, it changes only what moved. */
export function showFigures(list, row) {
  const { quote, price_decimals: decimals } = row;
  const of = (value) => price(value, decimals);
  const figures = {
    open: of(quote?.open),
    day: quote?.high == null ? "–" : `${of(quote.low)} – ${of(quote.high)}`,
    previous: of(quote?.previous_close),
    volume: compact(quote?.volume),
    average: compact(row.average_volume),
    sma: derived(row.indicators?.sma_20, decimals),
    rsi: price(row.indicators?.rsi_14, 1),
  };
  for (const [key, text] of Object.entries(figures)) setText(line(list, key), text);
}

function line(list, key) {
  const found = list.querySelector(`[data-figure="${key}"] dd`);
  if (found) return found;
  const group = document.createElement("div");
  group.dataset.figure = key;
  group.append(Object.assign(document.createElement("dt"), { textContent: names[key] }), document.createElement("dd"));
  list.append(group);
  return group.lastElementChild;
}

/** 52 weeks and all time as bars, with the day of each end. A price beyond an end moves it at once. */
export function showRecords(box, row) {
  box.dataset.none = row.records?.["52_weeks"] ? "" : names.none;
  for (const [scope, name] of [["52_weeks", names.year], ["all_time", names.all]]) {
    const known = row.records?.[scope];
    if (!known) continue;
    const section = box.querySelector(`[data-scope="${scope}"]`) ?? addRecord(box, scope, name);
    if (scope === "all_time") setText(since(section), known.since ? word("countedSince", { date: known.since }) : "");
    const { low, lowDate, high, highDate } = reach(known, row.quote);
    const of = (value) => price(value, row.price_decimals);
    const [lowEnd, highEnd] = section.querySelectorAll(".ends > span");
    setText(lowEnd.firstChild, of(low));
    setText(lowEnd.lastChild, lowDate);
    setText(highEnd.firstChild, of(high));
    setText(highEnd.lastChild, highDate);
    const at = row.quote?.current_price;
    const share = high > low ? Math.round(((at - low) / (high - low)) * 100) : 50;
    drawMeter(section.querySelector(".meter"), at, low, high, {
      label: word("fromLow", { percent: `${share}%`, low: of(low), high: of(high) }),
    });
  }
}

/** A record with today in it. */
export function reach(known, quote) {
  const day = quote?.session_date;
  const [top, bottom] = [quote?.high ?? quote?.current_price, quote?.low ?? quote?.current_price];
  const higher = top != null && top > known.high;
  const lower = bottom != null && bottom < known.low;
  return {
    high: higher ? top : known.high,
    highDate: higher ? day : known.high_date,
    low: lower ? bottom : known.low,
    lowDate: lower ? day : known.low_date,
  };
}

/** Where it is said how far back all time goes. */
function since(section) {
  const title = section.querySelector("h3");
  if (!title.querySelector("small")) title.append(" ", document.createElement("small"));
  return title.querySelector("small");
}

function addRecord(box, scope, name) {
  const section = document.createElement("section");
  section.className = "record";
  section.dataset.scope = scope;
  const ends = Object.assign(document.createElement("div"), { className: "ends" });
  for (let side = 0; side < 2; side += 1) {
    const end = document.createElement("span");
    end.append(document.createElement("b"), document.createElement("small"));
    ends.append(end);
  }
  section.append(Object.assign(document.createElement("h3"), { textContent: name }), meter(), ends);
  box.append(section);
  return section;
}
