// The symbol page: history from the public interface, and a last bar that moves with the stream.

import { showAlerts } from "./alerts.js";
import { Chart } from "./chart.js";
import { showFigures, showRecords } from "./figures.js";
import { flash } from "./flash.js";
import { setText, showConnection, showMarket } from "./frame.js";
import { badge, showBadge, updated } from "./freshness.js";
import { history, INTERVAL, rangeStart } from "./history.js";
import { Legend } from "./legend.js";
import { get, page } from "./page.js";
import { Stream } from "./stream.js";
import { showTable } from "./table.js";
import { age, asOf, decimalsOf, direction, percent, price, signed, word } from "./words.js";

const article = document.querySelector(".symbol");
const row = page.symbol;
const decimals = row.price_decimals;
const PATH = `/api/v2/symbols/${encodeURIComponent(row.symbol)}/`;
const RECORDS_EVERY = 60_000;
const RECORDS_WHILE_NONE = 8_000;
const LOOK_AGAIN = 8_000;
const part = (name) => article.querySelector(`[data-${name}]`);
const stream = new Stream();
let known = { bars: [], average: [], oscillator: [] };
let range = "1Y";
let chart = null;
let legend = null;
let looking = null;

// Head

const fresh = badge();
const freshText = document.createElement("span");
part("fresh").append(fresh, freshText);

function showHead(before = null) {
  const { quote } = row;
  article.dataset.direction = direction(quote?.change);
  setText(part("price"), price(quote?.current_price, decimals));
  if (quote?.change != null) {
    const arrow = { up: "▲ ", down: "▼ ", flat: "" }[direction(quote.change)];
    setText(part("move"), `${arrow}${signed(quote.change, decimalsOf(quote.current_price, decimals))} (${percent(quote.change_percent)})`);
  }
  setText(part("state"), quote ? ` · ${word(quote.market_state)}` : "");
  if (before && before.current_price !== quote.current_price) {
    flash(part("price"), direction(quote.current_price - before.current_price));
  }
  if (quote) document.title = `${price(quote.current_price, decimals)} ${row.symbol} · Finstage`;
  showAge();
  showFigures(part("figures"), row);
  showRecords(part("records"), row);
}

function showAge() {
  const { quote } = row;
  showBadge(fresh, quote, stream.isFlowing, row.time_zone, { words: true });
  const old = quote && word("received", { age: age(Date.now() - Date.parse(quote.received_at)) });
  const source = quote && fresh.dataset.status !== quote.source ? [quote.source] : []; // "replay" is said once
  setText(freshText, quote ? ["", asOf(quote, row.time_zone), ...source, old].join(" · ").trim() : "");
}

// Chart

async function load() {
  clearTimeout(looking);
  looking = null;
  try {
    known = await history(row.symbol);
  } catch (error) {
    fail(error);
    return;
  }
  part("skeleton").hidden = true;
  if (!known.bars.length) {
    await sayWhyNone();
    return;
  }
  part("state-box").hidden = true;
  if (!chart) {
    chart = new Chart(part("canvas"), { decimals });
    legend = new Legend(part("legend"), chart, () => known, decimals);
  }
  const place = chart.chart.timeScale().getVisibleLogicalRange();
  const isFirst = !chart.bars;
  const before = chart.bars?.length;
  chart.show(known.bars, known.average, known.oscillator);
  if (isFirst || before !== known.bars.length) chart.showFrom(rangeStart(range, known.bars.at(-1).session_date));
  else if (place) chart.chart.timeScale().setVisibleLogicalRange(place);
  waiting.splice(0).forEach(takeBar);
  showValues();
}

/** A symbol without history says whether that is being loaded or why not, and looks again. */
async function sayWhyNone() {
  const { backfill } = await get("/api/v2/watchlists/default/").catch(() => page);
  const reason = stream.service?.detail ?? backfill?.errors[row.symbol];
  const detail = Object.assign(document.createElement("small"), { textContent: reason ?? "" });
  if (reason) say(word("noBarsFailed"), detail);
  else say(word(backfill && backfill.done < backfill.total ? "noBarsLoading" : "noBars"));
  clearTimeout(looking);
  looking = setTimeout(load, LOOK_AGAIN);
}

const waiting = [];

function takeBar(bar) {
  if (bar.interval !== INTERVAL) return;
  if (!chart?.bars) {
    waiting.push(bar);
    return;
  }
  const grew = bar.session_date > known.bars.at(-1).session_date;
  if (!chart.move(bar)) {
    reloadSoon();
    return;
  }
  if (grew) [known.average, known.oscillator].forEach((values) => values.push(null));
  showValues();
}

/** The same numbers in the legend and, where it is open, in the table. */
function showValues() {
  legend?.show();
  if (!part("table").hidden) showTable(part("table"), known, decimals);
}

function takeIndicators({ values, session_date: session }) {
  const [average, oscillator] = [values.sma_20?.sma, values.rsi_14?.rsi];
  row.indicators = { ...row.indicators, ...(average != null && { sma_20: average }), ...(oscillator != null && { rsi_14: oscillator }) };
  const last = known.bars.length - 1;
  const time = known.bars[last]?.session_date;
  if (time && time === session) {
    if (average != null) known.average[last] = average;
    if (oscillator != null) known.oscillator[last] = oscillator;
    chart?.moveIndicators(time, { average, oscillator });
    showValues();
  }
  showFigures(part("figures"), row);
}

function takePrice(update) {
  const before = row.quote;
  row.quote = updated(before, update);
  showMarket([row]);
  showHead(before);
}

/** A hole in the bars is filled by reading them again. */
let reloading = null;
function reloadSoon() {
  reloading ??= setTimeout(async () => {
    reloading = null;
    row.quote = (await get(`${PATH}quote/`).catch(() => null)) ?? row.quote;
    await readRecords();
    showHead();
    await load();
  }, 200 + Math.random() * 800);
}

/** Records come by no stream: they are computed after a session. */
async function readRecords() {
  const found = await get(`${PATH}records/`).catch(() => null);
  if (found) row.records = found.records;
}

function readRecordsNowAndThen() {
  setTimeout(async () => {
    if (!document.hidden && stream.isFlowing) {
      await readRecords();
      showHead();
    }
    readRecordsNowAndThen();
  }, row.records?.["52_weeks"] ? RECORDS_EVERY : RECORDS_WHILE_NONE);
}

function fail(error) {
  part("skeleton").hidden = true;
  const again = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: word("retry") });
  again.addEventListener("click", load);
  const detail = Object.assign(document.createElement("small"), {
    textContent: [error.message, error.requestId && word("request", { id: error.requestId })].filter(Boolean).join(" · "),
  });
  say(word("chartFailed"), detail, again);
}

function say(text, ...more) {
  const box = part("state-box");
  box.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }), ...more);
  box.hidden = false;
}

// Buttons

function press(group, button) {
  for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", each === button);
}

part("ranges").addEventListener("click", ({ target }) => {
  if (!target.dataset.range) return;
  range = target.dataset.range;
  press(part("ranges"), target);
  if (known.bars.length) chart?.showFrom(rangeStart(range, known.bars.at(-1).session_date));
});

part("views").addEventListener("click", ({ target }) => {
  if (!target.dataset.view) return;
  const isTable = target.dataset.view === "table";
  press(part("views"), target);
  part("plot").hidden = isTable;
  part("table").hidden = !isTable;
  if (isTable) showTable(part("table"), known, decimals);
});

showConnection(stream);
showHead();
showAlerts(stream, document.querySelector("[data-alerts]"), row.symbol);
stream.on("price_update", takePrice).on("bar", takeBar).on("indicators", takeIndicators);
stream.on("correction", ({ interval }) => interval === INTERVAL && reloadSoon());
stream.on("lost", reloadSoon).on("epoch", reloadSoon).on("state", showAge);
stream.on("renamed", ({ to }) => location.replace(`/symbols/${encodeURIComponent(to.split(/:(.*)/)[1])}/`));
stream.on("state", () => looking && load());
for (const type of ["prices", "bars", "indicators", "alerts"]) stream.subscribe(type, [row.symbol]);
stream.subscribe("system").open();
setInterval(showAge, 1000);
readRecordsNowAndThen();
load();
