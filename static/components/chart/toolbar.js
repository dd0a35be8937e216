// What can be chosen of a chart: range, interval and view stand in the address; how it is drawn is this person's and kept.

import { make } from "../element.js";
import { chosen, prefer } from "../preferences.js";
import { moment, word } from "../../words/words.js";
import { brought } from "./brought.js";
import { INTERVAL } from "./history.js";
import { isMade } from "./intervals.js";

const RANGES = ["1M", "3M", "6M", "YTD", "1Y", "5Y", "All"];
const LONGER = new Set(["5Y", "All"]); // than the history that comes first
const INTERVALS = [INTERVAL, "1wk", "1mo", "1m", "5m", "15m", "30m", "1h"];
const ADJUSTED = ["split", "raw", "split_dividend"];
const VIEWS = ["chart", "table"];
const TYPES = ["candles", "line", "area"];
const SCALES = ["linear", "log", "percent"];

export class Toolbar {
  constructor(panel) {
    const { address, part } = panel;
    Object.assign(this, { panel, part });
    this.range = address.get("range", RANGES);
    this.interval = address.get("interval", INTERVALS);
    this.view = address.get("view", VIEWS);
    this.adjusted = address.get("adjusted", ADJUSTED);
    this.knownAt = past(address);
    this.segments("range", () => panel.chooseRange());
    this.segments("interval", () => this.showInterval());
    this.segments("view", () => this.showView());
    for (const name of ["type", "scale"]) this.radios(name);
    this.adjustments();
    this.part("as-now").addEventListener("click", () => this.showKnown(""));
    this.part("known-at").addEventListener("change", ({ target: { value } }) => {
      const at = value ? new Date(value) : null;
      this.showKnown(at && at < Date.now() ? at.toISOString() : "");
    });
    this.check("auto", () => this.showScale());
    this.check("flags", (isOn) => panel.chart.flags.toggle(isOn));
    part("pick").addEventListener("click", () => {
      this.part("menu=indicators").open = false;
      panel.choosing("pick");
    });
    part("menu=compare")?.addEventListener("toggle", () => this.offerOthers());
    part("image").addEventListener("click", () => panel.known && panel.saveImage());
    for (const button of panel.section.querySelectorAll("[data-draw]")) button.addEventListener("click", async () => (await panel.takeHand())?.draw(button.dataset.draw));
    document.addEventListener("preference", ({ detail: { name } }) => name.startsWith("chart.") && this.showKept());
    this.showKept();
    this.showView();
    this.showInterval();
  }

  showInterval() {
    const said = [this.part(`interval="${this.interval}"`).title, word(`as${this.adjusted[0].toUpperCase()}${this.adjusted.slice(1)}`)];
    if (this.knownAt) said.push(word("asKnownAt", { time: moment(this.knownAt) }));
    this.part("made").textContent = said.join(" · ");
    this.part("as-now").hidden = !this.knownAt;
    this.panel.readAgain();
    this.panel.redraw();
    if (this.isLong) this.panel.needAll();
  }

  /** As all was known at an instant; with none, as it is known now, and goes on. */
  showKnown(at) {
    this.knownAt = at;
    if (!at) this.part("known-at").value = "";
    this.panel.address.set({ as_known_at: at });
    this.showInterval();
  }

  /** The interval whose bars are read: weeks and months are made of days. */
  get base() {
    return isMade(this.interval) ? INTERVAL : this.interval;
  }

  /** More is to be seen than the history that comes first. */
  get isLong() {
    return LONGER.has(this.range) || isMade(this.interval) || this.view === "table";
  }

  /** What prices are restated for stands in the address, as others shall see the same. */
  adjustments() {
    for (const field of this.panel.section.querySelectorAll("[name=chart-adjusted]")) {
      field.checked = field.value === this.adjusted;
      field.addEventListener("change", () => {
        this.adjusted = field.value;
        this.panel.address.set({ adjusted: field.value });
        this.showInterval();
      });
    }
  }

  get rangeText() {
    return this.part(`range="${this.range}"`).textContent;
  }

  get intervalText() {
    return this.part(`interval="${this.interval}"`).title;
  }

  /** A row of buttons of which one is pressed; which one is kept in the address. */
  segments(name, changed) {
    const group = this.part(`${name}s`);
    const press = () => {
      for (const each of group.children) each.setAttribute("aria-pressed", each.dataset[name] === this[name]);
    };
    group.addEventListener("click", ({ target }) => {
      const asked = target.closest("button")?.dataset[name];
      if (!asked) return;
      this[name] = asked;
      this.panel.address.set({ [name]: asked });
      press();
      changed();
    });
    press();
  }

  radios(name) {
    for (const field of this.panel.section.querySelectorAll(`[name=chart-${name}]`)) {
      field.addEventListener("change", () => prefer(`chart.${name}`, field.value === field.defaultValue && field.defaultChecked ? null : field.value));
    }
  }

  check(name, changed) {
    const field = this.part(name);
    field.addEventListener("change", () => {
      prefer(`chart.${name}`, field.checked ? null : false);
      changed(field.checked);
    });
  }

  /** Type, scale, flags and indicators as this person has chosen them, here or in another tab. */
  showKept() {
    const { chart } = this.panel;
    const type = known(chosen("chart.type"), TYPES);
    this.pick("type", type);
    if (chart.type !== type) {
      chart.showAs(type);
      this.panel.hand?.update();
    }
    for (const name of ["auto", "flags"]) this.part(name).checked = chosen(`chart.${name}`) !== false;
    chart.flags.toggle(this.part("flags").checked);
    chart.hide(this.panel.hidden);
    if (chart.shown) this.showIndicators(chart.shown.lines);
    this.showScale();
  }

  /** Beside others there is one scale that tells anything. */
  showScale() {
    const { chart, beside } = this.panel;
    const scale = beside?.size ? "percent" : known(chosen("chart.scale"), SCALES);
    this.pick("scale", scale);
    for (const field of this.panel.section.querySelectorAll("[name=chart-scale]")) field.disabled = beside?.size > 0;
    chart.scaleBy(scale, this.part("auto").checked);
  }

  pick(name, value) {
    this.panel.section.querySelector(`[name=chart-${name}][value=${value}]`).checked = true;
  }

  showView() {
    const isTable = this.view === "table";
    this.part("plot").hidden = isTable;
    this.part("table").hidden = !isTable;
    if (isTable) this.panel.showTable();
  }

  /** A box for each indicator that the server computed; what is shown is one line or several of it. */
  showIndicators(lines) {
    const box = this.part("indicators");
    const keys = lines.filter(({ isFirst }) => isFirst).map(({ key, brief }) => [key, brief]);
    for (const field of box.querySelectorAll("input")) field.checked = !this.panel.hidden.includes(field.value);
    if (box.dataset.shown === keys.join()) return;
    box.dataset.shown = keys.join();
    box.replaceChildren(...keys.map(([key, label]) => this.indicator(key, label)));
    if (!keys.length) box.textContent = this.panel.whyNoIndicators() || word("noIndicators");
  }

  indicator(key, label) {
    const field = make("input", { type: "checkbox", value: key, checked: !this.panel.hidden.includes(key) });
    field.addEventListener("change", () => {
      const { hidden } = this.panel;
      const left = field.checked ? hidden.filter((each) => each !== key) : [...hidden, key];
      prefer("chart.hidden", left.length ? left : null);
      this.panel.showValues();
    });
    return make("label", { className: "check" }, field, label);
  }

  /** The symbols that can stand beside it come as the menu is opened. */
  async offerOthers() {
    if (!this.part("menu=compare").open) return;
    const [{ Others }, { Beside }] = await Promise.all([brought(import("./others.js")), brought(import("./beside.js"))]);
    if (!Others || !Beside) return;
    this.panel.beside ??= new Beside(this.panel);
    this.others ??= new Others(this.panel, this.part("compare"), this.part("find"));
    this.others.look();
  }
}

/** The instant that the address says, where its page has any, and where it has been. */
function past(address) {
  const told = address.get("as_known_at") ?? "";
  const at = new Date(told);
  if (!("as_known_at" in address.beginning) || !told) return "";
  if (at < Date.now()) return at.toISOString();
  address.set({ as_known_at: "" });
  return "";
}

/** What was kept may be of another version. */
function known(value, allowed) {
  return allowed.includes(value) ? value : allowed[0];
}
