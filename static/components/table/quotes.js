// The columns of a table of quotes: what each cell shows of a symbol, and what its head sorts by.

import { dayChange } from "../change.js";
import { drawMeter, meter, reach } from "../drawing.js";
import { make } from "../element.js";
import { flash } from "../flash.js";
import { setText } from "../frame.js";
import { badge, showBadge } from "../freshness.js";
import { Sparkline } from "../sparkline.js";
import { reserve, reserveFigure } from "../steady.js";
import { direction, price, word } from "../../words/words.js";

export const SPARK_DAYS = 30;
const DRAW_EVERY = 250; // numbers move at once, drawings four times a second

/** For Table; the symbol's own cell the server has filled. */
export function columns(stream) {
  return {
    symbol: { value: ({ symbol }) => symbol },
    price: { value: ({ quote }) => quote?.current_price, build: priceIn },
    change: { value: ({ quote }) => quote?.change, build: changeIn },
    percent: { value: ({ quote }) => quote?.change_percent, build: shareIn },
    spark: { build: sparklineIn },
    day: { build: dayIn },
    volume: { value: volumeRatio, build: volumeIn },
    rsi: { value: ({ indicators }) => indicators?.rsi_14, build: oscillatorIn },
    year: { value: placeInYear, build: yearIn },
    age: { value: ({ quote }) => (quote ? Date.parse(quote.received_at) : null), build: (cell) => ageIn(cell, stream) },
  };
}

function priceIn(cell) {
  const room = cell.closest("td");
  let before = null;
  return ({ quote, price_decimals: decimals }) => {
    const now = quote?.current_price;
    reserveFigure(room, now, decimals);
    setText(cell, price(now, decimals));
    if (before != null && now != null && now !== before) flash(cell, direction(now - before));
    before = now;
  };
}

function changeIn(cell) {
  const room = cell.closest("td");
  return ({ quote, price_decimals: decimals }) => {
    reserveFigure(room, quote && quote.current_price / 10, decimals, (figure) => `−${figure}`);
    setText(cell, dayChange(quote, decimals).amount);
  };
}

function shareIn(cell) {
  reserve(cell.closest("td"), ["▲ −00.00%"]);
  return ({ quote, price_decimals: decimals }) => setText(cell, dayChange(quote, decimals).share);
}

function sparklineIn(cell) {
  const spark = new Sparkline(cell);
  return eased(({ sparkline, quote, price_decimals: decimals }) => {
    const [line, now] = [sparkline ?? [], quote?.current_price];
    spark.show(now == null ? line : [...line.slice(1 - SPARK_DAYS), now], decimals);
  });
}

function dayIn(cell) {
  const bar = cell.appendChild(meter());
  return eased(({ quote, price_decimals: decimals }) => {
    const label = quote?.high != null ? placeWords(quote, quote, decimals) : "";
    drawMeter(bar, quote?.current_price, quote?.low ?? NaN, quote?.high ?? NaN, { from: quote?.open ?? undefined, label });
    cell.title = label;
  });
}

function yearIn(cell) {
  const bar = cell.appendChild(meter());
  return eased(({ quote, records, price_decimals: decimals }) => {
    const known = records?.["52_weeks"];
    const { low, high } = known ? reach(known, quote) : { low: NaN, high: NaN };
    const label = known && quote ? placeWords(quote, { low, high }, decimals) : "";
    drawMeter(bar, quote?.current_price, low, high, { label });
    cell.title = label;
  });
}

function volumeIn(cell) {
  const room = cell.closest("td");
  reserve(room, ["00.00×"]);
  return (row) => {
    const times = volumeRatio(row);
    setText(cell, times == null ? "–" : `${price(times, 2)}×`);
    room.title = times == null ? "" : word("timesAverage", { times: price(times, 2) });
  };
}

function oscillatorIn(cell) {
  const chip = cell.appendChild(make("span", { className: "rsi" }));
  return ({ indicators }) => {
    const value = indicators?.rsi_14;
    const zone = value == null ? "neutral" : value >= 70 ? "overbought" : value <= 30 ? "oversold" : "neutral";
    setText(chip, value == null ? "–" : price(value, 0));
    chip.dataset.zone = zone;
    chip.title = value == null ? "" : `${price(value, 1)} · ${word(zone)}`;
  };
}

function ageIn(cell, stream) {
  const fresh = cell.appendChild(badge());
  return ({ quote, time_zone: zone, price_decimals: decimals }) => showBadge(fresh, quote, stream.isFlowing, zone, { decimals });
}

/** The session's volume against the average; null until the source has told it. */
function volumeRatio({ quote, average_volume: average }) {
  return quote?.volume != null && average ? quote.volume / average : null;
}

function placeInYear({ quote, records }) {
  const known = records?.["52_weeks"];
  return known && quote && known.high > known.low ? (quote.current_price - known.low) / (known.high - known.low) : null;
}

function placeWords({ current_price: now }, { low, high }, decimals) {
  const share = high > low ? Math.round(((now - low) / (high - low)) * 100) : 50;
  return word("fromLow", { percent: `${share}%`, low: price(low, decimals), high: price(high, decimals) });
}

/** A drawing follows what is known four times a second, and is left alone while that is the same. */
function eased(draw) {
  let [drawn, at] = [null, 0];
  return (row, now) => {
    if (row === drawn || now - at < DRAW_EVERY) return;
    [drawn, at] = [row, now];
    draw(row);
  };
}
