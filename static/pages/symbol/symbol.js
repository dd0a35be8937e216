// The symbol page: history from the public interface, and a last bar that moves with the stream.

import { Address } from "../../components/address.js";
import { listed, showAlerts } from "../../components/alerts.js";
import { BEGINNING, ChartPanel } from "../../components/chart/chartpanel.js";
import { corrected, DRAWN, INTERVAL, isCompared } from "../../components/chart/history.js";
import { besideLine } from "../../components/beside.js";
import { dayChange } from "../../components/change.js";
import { showConnection } from "../../components/connection.js";
import { showFigures, showKeyFigures, showRecords } from "../../components/figures.js";
import { flash } from "../../components/flash.js";
import { isRecorded, setText } from "../../components/frame.js";
import { badge, renewed, showBadge, updated } from "../../components/freshness.js";
import { showSession } from "../../components/markets.js";
import { get, inOrder, page } from "../../components/page.js";
import { AGES, reserve, reserveFigure } from "../../components/steady.js";
import { Stream } from "../../stream/stream.js";
import { age, asOf, direction, price, word } from "../../words/words.js";

const article = document.querySelector(".symbol");
const row = page.symbol;
const decimals = row.price_decimals;
const PATH = `/api/v2/symbols/${encodeURIComponent(row.symbol)}/`;
const MINUTE = "1m"; // kept of what is on a watchlist alone
const READ_EVERY = 60_000;
const READ_WHILE_NO_RECORDS = 8_000;
const READ_FIGURES_EVERY = 3_600_000;
const MARKS_AFTER = 5_000;
const part = (name) => article.querySelector(`[data-${name}]`);
const stream = new Stream();
const address = new Address({ ...BEGINNING, as_known_at: "" });
const panel = new ChartPanel(part("chart-panel"), { address, none: whyNone, lost: () => reloadSoon(), follow, indicate, drawn: () => address.restore() });

// Head

const fresh = badge({ words: true });
const [freshText, freshAge] = [document.createElement("span"), document.createElement("span")];
part("fresh").append(fresh, freshText, freshAge);
reserve(freshAge, AGES.map((old) => word("received", { age: age(old) })));

const showBeside = besideLine(part("beside"), decimals, row.time_zone);

function showHead(before = null) {
  const { quote } = row;
  const { towards, whole, brief } = dayChange(quote, decimals);
  article.dataset.direction = towards;
  panel.showDirection(towards);
  reserveFigure(part("price"), quote?.current_price, decimals);
  reserveFigure(part("move"), quote && quote.current_price / 10, decimals, (figure) => `▲ −${figure} (−00.00%)`);
  setText(part("price"), price(quote?.current_price, decimals));
  setText(part("move"), whole);
  setText(part("state"), quote ? ` · ${word(quote.market_state)}` : "");
  if (before && before.current_price !== quote.current_price) {
    flash(part("price"), direction(quote.current_price - before.current_price));
  }
  if (quote) document.title = `${price(quote.current_price, decimals)} ${brief} ${row.symbol} · Finstage`;
  showAge();
  showFigures(part("figures"), row);
  showRecords(part("records"), row);
}

function showAge() {
  const { quote } = row;
  showBadge(fresh, quote, stream.isFlowing, row.time_zone, { words: true, decimals });
  const old = quote && word("received", { age: age(Date.now() - Date.parse(quote.received_at)) });
  const source = quote && fresh.dataset.status !== quote.source ? [quote.source] : []; // "replay" is said once
  setText(freshText, quote ? ["", asOf(quote, row.time_zone), ...source, ""].join(" · ").trim() : "");
  setText(freshAge, old ?? "");
  showBeside(quote);
}

// Chart

/** A symbol without history says whether that is being loaded or why not. */
async function whyNone() {
  if (panel.toolbar.knownAt) return [word("noneKnown")];
  if (panel.toolbar.base !== INTERVAL) return isRecorded ? [word("noneRecorded"), word("noneRecordedText")] : [word("noIntraday"), word(panel.toolbar.base === MINUTE ? "noMinutesText" : "noIntradayText")];
  const { backfill } = await get("/api/v2/watchlists/default/").catch(() => page);
  const reason = stream.service?.detail ?? backfill?.errors[row.symbol];
  if (reason) return [word("noBarsFailed"), reason];
  return [word(backfill && backfill.done < backfill.total ? "noBarsLoading" : "noBars")];
}

/** Bars of less than a day are told on streams of their own, which are heard once they are looked at. */
function follow(interval) {
  if (interval !== INTERVAL) stream.subscribe("bars", [row.symbol], { interval });
}

/** Those beyond what everybody gets are told on streams of their own. */
let indicated = [];
function indicate(keys) {
  const gone = indicated.filter((key) => !keys.includes(key));
  const come = keys.filter((key) => !indicated.includes(key));
  if (gone.length) stream.unsubscribe("indicators", [row.symbol], { indicators: gone });
  for (const key of come) stream.subscribe("indicators", [row.symbol], { indicators: [key] });
  indicated = keys;
}

function takeIndicators(message) {
  const { values } = message;
  const [average, oscillator] = [values.sma_20?.sma, values.rsi_14?.rsi];
  row.indicators = { ...row.indicators, ...(average != null && { sma_20: average }), ...(oscillator != null && { rsi_14: oscillator }) };
  panel.takeIndicators(message);
  showFigures(part("figures"), row);
}

function takePrice(update) {
  const before = row.quote;
  row.quote = updated(before, update);
  showSession([row]);
  showHead(before);
}

/** A hole in the bars is filled by reading them again. */
let reloading = null;
let toSay = "";
function reloadSoon(said = "") {
  toSay = said || toSay;
  reloading ??= setTimeout(async () => {
    reloading = null;
    await Promise.all([readQuote(), readRecords()]);
    showHead();
    panel.again(toSay);
    toSay = "";
  }, 200 + Math.random() * 800);
}

/** By the stream comes no word of when the exchange opens again. */
const askQuote = inOrder(() => get(`${PATH}quote/`));
async function readQuote() {
  row.quote = renewed(row.quote, await askQuote());
}

/** Records come by no stream: they are computed after a session. */
const askRecords = inOrder(() => get(`${PATH}records/`));
async function readRecords() {
  const found = await askRecords();
  if (found) row.records = found.records;
}

/** Key figures come once a day; where none came yet, soon. */
const keyFigures = part("key-figures");
const askFigures = inOrder(() => get(PATH));
let figuresReadAt = Date.now();
async function readFigures() {
  if (!keyFigures || (!row.key_figures.reason && Date.now() - figuresReadAt < READ_FIGURES_EVERY)) return;
  figuresReadAt = Date.now();
  const found = await askFigures();
  if (!found) return;
  row.key_figures = found.key_figures;
  showKeyFigures(keyFigures, part("figures-note"), row);
}

function readNowAndThen() {
  setTimeout(async () => {
    if (!document.hidden && stream.isFlowing) {
      await Promise.all([readQuote(), readRecords(), readFigures()]);
      showHead();
    }
    readNowAndThen();
  }, row.records?.["52_weeks"] ? READ_EVERY : READ_WHILE_NO_RECORDS);
}

showConnection(stream);
showHead();
if (keyFigures) showKeyFigures(keyFigures, part("figures-note"), row);
const alerts = document.querySelector("[data-alerts]");
showAlerts(stream, alerts, row.symbol);
panel.mark(listed(alerts));
stream.on("alert", () => panel.mark(listed(alerts)));
stream.on("price_update", takePrice).on("bar", (bar) => panel.takeBar(bar)).on("indicators", takeIndicators);
stream.on("correction", (correction) => [INTERVAL, panel.toolbar.base].includes(correction.interval) && reloadSoon(corrected(correction)));
stream.on("lost", () => reloadSoon()).on("epoch", () => reloadSoon()).on("state", showAge);
stream.on("renamed", ({ to }) => location.replace(`/symbols/${encodeURIComponent(to.split(/:(.*)/)[1])}/${location.search}`));
stream.on("state", () => panel.look());
for (const type of ["prices", "bars", "indicators", "alerts"]) stream.subscribe(type, [row.symbol]);
if (panel.indicators !== DRAWN) indicate(panel.indicators.filter((key) => !isCompared(key)));
stream.subscribe("system").open();
setInterval(showAge, 1000);
readNowAndThen();
panel.show(row);
/** The marks of signals come with the first sign of a reader, and soon without one: what is seen first is there sooner. */
const marked = new Promise((come) => {
  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(sign, come, { once: true, passive: true });
  setTimeout(come, MARKS_AFTER);
});
marked.then(async () => {
  const { markSignals } = await import("./marks.js").catch(() => ({}));
  markSignals?.(row, stream, (signals) => panel.sign(signals));
});
const facts = document.querySelector("[data-facts]");
new IntersectionObserver(async ([{ isIntersecting }], eye) => {
  if (!isIntersecting) return;
  eye.disconnect();
  const { showFacts } = await import("./facts.js").catch(() => ({}));
  if (showFacts) showFacts(facts, row);
  else facts.append(word("notCome"));
  const { showSignals } = await import("./signals.js").catch(() => ({}));
  showSignals?.(document.querySelector("[data-signals]"), row, stream);
}, { rootMargin: "-64px" }).observe(facts); // its edge may be seen at first
address.restore();
