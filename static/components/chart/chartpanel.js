// The chart panel: one symbol's bars as a chart or a table, with all that can be chosen of them. Markup: parts/chart.html.
//
//   const panel = new ChartPanel(section, { address, none, lost, follow });
//   panel.show({ symbol, name, price_decimals, time_zone, quote });   clears at once, then reads
//   panel.takeBar(bar); panel.takeIndicators(message); panel.showDirection("up");
//   panel.again(said); panel.look();                                   as Panel has them
//
// `address` keeps range, interval and view; `none(symbol)` says why there are no bars; `lost()` is called where a bar came
// that belongs before those that are held; `follow(interval)` hears of which bars those that come are wanted; `read` is
// asked for them, as `history` is; `indicate(keys)` hears which indicators are wanted from now on. A subject that has `before`, a session, is another one at another.
//
// First comes as much of the history as the first view needs; all of it where more is asked for: a longer range, the table,
// weeks and months, or older bars brought into sight. So do the parts that few visits use: table, comparison, pencil, image.

import { Panel } from "../panel.js";
import { word } from "../../words/words.js";
import { brought } from "./brought.js";
import { Chart } from "./chart.js";
import { Flags } from "./flags.js";
import { chosen } from "../preferences.js";
import { DRAWN, goOn, history, INTERVAL, olderThan, rangeStart, recent, takeBar, takeIndicators, isCompared } from "./history.js";
import { gathered, isMade } from "./intervals.js";
import { Legend } from "./legend.js";
import { Readout } from "./readout.js";
import { Toolbar } from "./toolbar.js";

const EDGE = 3; // bars: who sees the oldest but these wants to see older ones

export const BEGINNING = { range: "1Y", interval: INTERVAL, view: "chart", adjusted: "split" };

export class ChartPanel {
  constructor(section, { address, none, lost, follow, drawn = () => {}, indicate = () => {}, read = history }) {
    Object.assign(this, { section, address, lost, follow, drawn, indicate, subject: null, known: null, waiting: [] });
    this.part = (name) => section.querySelector(`[data-${name}]`);
    this.chart = new Chart(this.part("canvas"), { Flags });
    this.legend = new Legend(this.part("legend"), this.chart);
    this.readout = new Readout(this.chart, this.part("readout"), { moved: (at) => this.stand(at) });
    this.beside = this.hand = null; // until somebody compares, or a hand is seen
    for (const sign of ["pointerover", "focusin"]) section.addEventListener(sign, () => this.takeHand(), { once: true });
    this.chart.lines.came = () => this.redraw({ keepPlace: !this.chart.lines.ahead });
    this.toolbar = new Toolbar(this);
    this.panel = new Panel(this.part("plot"), {
      read: (_, signal) => {
        const { base: interval, adjusted, knownAt } = this.toolbar;
        return read(this.subject.symbol, { ...(!this.isAllWanted && recent(this.subject, interval)), interval, adjusted, knownAt, indicators: this.indicators, signal });
      },
      draw: (found) => this.draw(found),
      clear: () => this.clear(),
      isEmpty: ({ bars }) => !bars.length,
      behind: ({ behind }) => behind,
      grown: () => this.redraw({ keepPlace: true }),
      lacking: ({ lacking }) => lacking,
      none,
    });
    this.chart.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.lookForOlder());
    document.addEventListener("preference", ({ detail: { name } }) => {
      if (name === "chart.indicators") this.chooseIndicators();
      if (!this.hand && name === this.drawings) this.takeHand();
    });
  }

  /** Keys of those that are left out of sight. */
  get hidden() {
    const kept = chosen("chart.hidden");
    return Array.isArray(kept) ? kept : [];
  }

  /** Keys of those that this person has chosen, in order. */
  get indicators() {
    const kept = chosen("chart.indicators");
    return Array.isArray(kept) ? kept.map(String) : DRAWN;
  }

  /** What few visits do with them comes with the first that does. */
  async choosing(act) {
    (await brought(import("./choosing.js")))[act]?.(this);
  }

  /** Why there can be none of what is shown. */
  whyNoIndicators() {
    if (this.toolbar.knownAt) return word("noIndicatorsThen");
    return this.subject?.before && isMade(this.toolbar.interval) ? word("noIndicatorsPlayed") : "";
  }

  chooseIndicators() {
    this.choosing("name");
    this.indicate(this.indicators.filter((key) => !isCompared(key)));
    this.panel.again();
    this.redraw({ keepPlace: true });
  }

  show(subject) {
    this.subject = subject;
    if (this.indicators !== DRAWN) this.choosing("name");
    this.readAgain();
  }

  /** Bars of another symbol or interval, or restated or known otherwise, are another subject. */
  readAgain() {
    if (!this.subject) return;
    this.follow(this.toolbar.base);
    this.panel.show([this.subject.symbol, this.toolbar.base, this.toolbar.adjusted, this.toolbar.knownAt, this.subject.before].join());
  }

  again(said) {
    this.panel.again(said);
  }

  look() {
    this.panel.look();
  }

  clear() {
    this.known = null;
    this.isAllWanted = this.toolbar.isLong;
    this.isRangeDue = false;
    this.beside?.clear();
    this.chart.clear();
    this.hand?.clear();
    this.legend.show();
    this.table?.show();
  }

  draw(found) {
    const before = this.known;
    if (before) goOn(found, before);
    const older = before && !isMade(this.toolbar.interval) ? olderThan(found, before) : null;
    const isSame = older !== null && !this.isRangeDue;
    this.known = found;
    this.isRangeDue = false;
    if (isSame) this.shift(older);
    this.redraw({ keepPlace: isSame, older: older ?? 0 });
    if (!before) Promise.resolve(this.tableComing).then(() => this.drawn());
    this.waiting.splice(0).forEach((bar) => this.takeBar(bar));
  }

  /** All there is, where only the newest of it is known; what stands stays until it has come. */
  needAll() {
    if (!this.subject || this.isAllWanted || this.known?.isAll) return;
    this.isAllWanted = true;
    this.panel.again();
  }

  lookForOlder() {
    this.looking ??= requestAnimationFrame(() => {
      this.looking = null;
      const seen = this.known && this.chart.chart.timeScale().getVisibleLogicalRange();
      if (seen && seen.from < EDGE) this.needAll();
    });
  }

  /** The arrow keys have brought the crosshair to a bar, or let go of it. */
  stand(at) {
    this.legend.at = at;
    this.legend.isHeld = at !== null;
    this.hand?.stand(at);
    this.legend.show();
    if (at === 0) this.needAll();
  }

  /** So many older bars came, or went, and whoever stands at a bar stays there. */
  shift(older) {
    const shifted = (at) => (at == null ? null : Math.max(0, at + older));
    for (const who of [this.legend, this.readout]) who.at = shifted(who.at);
    this.hand?.stand(shifted(this.hand.cursor));
  }

  /** The bars that are known, in the interval that is asked for. */
  redraw({ keepPlace = false, older = 0 } = {}) {
    if (!this.known) return;
    const scale = this.chart.chart.timeScale();
    const place = scale.getVisibleLogicalRange();
    this.chart.show(this.shown(), { decimals: this.subject.price_decimals, zone: this.subject.time_zone });
    this.beside?.show();
    this.showDrawn();
    this.toolbar.showIndicators(this.chart.shown.lines);
    if (this.picker?.isOpen) this.picker.showPicked();
    if (keepPlace && place) scale.setVisibleLogicalRange({ from: place.from + older, to: place.to + older });
    else this.showRange();
    this.readout.stay();
    this.showValues();
  }

  /** Under which preference what was drawn on the subject is kept. */
  get drawings() {
    return this.subject && `drawings.${this.subject.symbol}`;
  }

  showDrawn() {
    if (this.hand) this.hand.show();
    else if (chosen(this.drawings)) this.takeHand();
  }

  /** What draws by hand, once it is there. */
  async takeHand() {
    const { ByHand } = await (this.handComing ??= brought(import("./byhand.js")));
    if (ByHand) this.hand ??= new ByHand(this);
    await this.hand?.take();
    return this.hand;
  }

  /** A longer range than is known is shown once it has come, and the one before stands until then. */
  chooseRange() {
    this.isRangeDue = Boolean(this.known && !this.known.isAll && this.toolbar.isLong);
    if (this.isRangeDue) this.needAll();
    else this.showRange();
  }

  showRange() {
    const last = this.known?.bars.at(-1)?.session_date;
    if (last) this.chart.showFrom(rangeStart(this.toolbar.range, last));
  }

  showDirection(direction) {
    if (this.chart.direction !== direction) this.chart.showDirection(direction);
  }

  takeBar(bar) {
    if (bar.interval !== this.toolbar.base || bar.symbol !== this.subject?.symbol || this.toolbar.knownAt) return;
    if (!this.known) this.waiting.push(bar);
    else if (!takeBar(this.known, bar)) this.lost();
    else this.showNewest();
  }

  /** Alerts of the symbol that rang: [{date, text}]. */
  mark(alerts) {
    this.chart.flags.mark(alerts);
  }

  /** Signals on its bars: [{direction, date, text}]. */
  sign(signals) {
    this.chart.flags.sign(signals);
  }

  takeIndicators(message) {
    if (this.known && !this.toolbar.knownAt && this.toolbar.base === INTERVAL && this.toolbar.adjusted === "split" && takeIndicators(this.known, message)) this.showNewest();
  }

  /** Whether no stream tells what is computed of these bars. */
  get isUntold() {
    const { interval, adjusted, knownAt } = this.toolbar;
    return !knownAt && !this.subject?.before && (interval !== INTERVAL || adjusted !== "split" || this.indicators.some(isCompared));
  }

  /** What is known, in the interval that is asked for. */
  shown() {
    const shown = gathered(this.known, this.toolbar.interval);
    if (!this.isUntold) return shown;
    if (!this.renewed) this.bringRenewed();
    return this.renewed?.along(shown) ?? shown;
  }

  async bringRenewed() {
    const { Renewed } = await (this.renewing ??= brought(import("./renewed.js")));
    if (!Renewed || this.renewed) return;
    this.renewed = new Renewed(this);
    this.redraw({ keepPlace: true });
  }

  /** The newest of what is known is shown. */
  showNewest() {
    this.chart.follow(this.shown());
    if (this.isUntold) this.renewed?.moved();
    this.readout.stay();
    this.showValues();
  }

  /** The same numbers in the legend and, where it is open, in the table. */
  showValues() {
    this.legend.show();
    if (this.toolbar.view === "table") this.table?.moved();
  }

  showTable() {
    this.needAll();
    this.tableComing = this.bringTable();
  }

  async bringTable() {
    const { BarTable } = await brought(import("./table.js"));
    if (BarTable) this.table ??= new BarTable(this.part("table"), this.chart);
    this.table?.show();
  }

  // A picture

  async saveImage() {
    const { symbol, name, quote } = this.subject;
    const { picture, save } = await brought(import("./image.js"));
    if (!picture) return;
    const last = this.chart.bars.at(-1);
    const title = `${symbol} · ${name} · ${this.toolbar.rangeText} · ${this.toolbar.intervalText}`;
    const legend = [...this.part("legend").children].map(({ textContent }) => textContent).join("   ");
    const source = `Finstage · ${quote?.source ?? last.source} · ${last.until ?? last.session_date}`;
    await save(picture(this.chart, { title, legend, source }), `${symbol}-${this.toolbar.interval}-${last.until ?? last.session_date}`);
  }
}
