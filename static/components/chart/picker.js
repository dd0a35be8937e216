// The picker of indicators: those on the chart with their parameters, order and sight, and all others by search and group.
// It comes with the first sign that somebody wants it. What is chosen is this person's, and holds for every symbol.

import { Dialog } from "../dialog.js";
import { make } from "../element.js";
import { get, readPage } from "../page.js";
import { ranked, saying } from "../palette/matching.js";
import { prefer } from "../preferences.js";
import { count, learn, word } from "../../words/words.js";
import { catalogue } from "./catalogue.js";
import { DRAWN } from "./history.js";
import { PickedRow } from "./pickedrow.js";

export const MOST = 12; // indicators at once
const PERIODS = [5, 10, 20, 50, 60, 100, 120, 200]; // for one that stands there already

export async function picker(panel) {
  const [entries, words, symbols] = await Promise.all([catalogue(), readPage("/indicators/words/"), tracked(), looks()]);
  learn(words);
  panel.chart.lines.names = entries;
  return new Picker(panel, entries, symbols);
}

/** Tickers that others are measured against, the likeliest first: an index, the S&P 500 before all. */
async function tracked() {
  const { results } = await get("/api/v2/symbols/?limit=1000&active=true").catch(() => ({ results: [] }));
  const likely = ({ symbol, asset_type: type }) => (symbol === "^GSPC" ? 0 : type === "index" ? 1 : 2);
  return results.toSorted((one, other) => likely(one) - likely(other)).map(({ symbol }) => symbol);
}

/** Its own looks come with it. */
function looks() {
  const link = make("link", { rel: "stylesheet", href: new URL("./picker.css", import.meta.url).href });
  document.head.append(link);
  return new Promise((done) => ["load", "error"].forEach((sign) => link.addEventListener(sign, done, { once: true })));
}

class Picker {
  constructor(panel, entries, usual) {
    Object.assign(this, { panel, entries, usual, group: "", rows: new Map() });
    this.all = [...entries.values()].map((entry, order) => ({ ...entry, order, said: saying(entry.title, entry.name, entry.library, entry.source.split(/[,;]/)[0], entry.group_title) }));
    this.build();
    document.addEventListener("preference", ({ detail: { name } }) => this.isOpen && name.startsWith("chart.") && this.showPicked());
  }

  get isOpen() {
    return this.dialog.isOpen;
  }

  build() {
    const close = () => make("button", { type: "button", className: "close", textContent: "×", ariaLabel: word("pickerClose"), dataset: { close: "" } });
    this.find = make("input", { type: "search", className: "find", placeholder: word("pickerSearch"), ariaLabel: word("pickerSearch"), autocomplete: "off", spellcheck: false });
    this.groups = make("div", { className: "groups", role: "group", ariaLabel: word("pickerGroups") }, ...this.groupButtons());
    this.list = make("ul", { className: "entries", ariaLabel: word("pickerAll"), tabIndex: -1 });
    this.none = make("p", { className: "quiet none", role: "status" });
    this.picked = make("ol", { className: "picked" });
    this.heading = make("h3", { id: "picker-picked" });
    this.picked.setAttribute("aria-labelledby", "picker-picked");
    this.why = make("p", { className: "quiet why" });
    this.said = make("p", { className: "visually-hidden", role: "status" });
    this.reset = make("button", { type: "button", className: "button", textContent: word("pickerReset"), title: word("pickerUsual") });
    this.reset.addEventListener("click", () => this.resetAll());
    const done = make("button", { type: "button", className: "button primary", textContent: word("pickerDone"), dataset: { close: "" } });
    this.element = make("dialog", { className: "sheet picker", attributes: { "aria-labelledby": "picker-heading" } },
      make("header", { role: "none" }, make("h2", { id: "picker-heading", textContent: word("pickerTitle") }), close()),
      make("div", { className: "body" },
        make("section", { className: "on-chart" }, this.heading, this.why, this.picked),
        make("section", { className: "all" }, this.find, this.groups, this.list, this.none)),
      make("footer", { role: "none" }, make("span", { className: "save" }, this.reset), make("a", { href: "/conformance/", textContent: word("pickerCertificates") }), done, this.said));
    document.body.append(this.element);
    this.dialog = new Dialog(this.element, { isAside: true });
    this.find.addEventListener("input", () => this.showAll());
    this.element.addEventListener("keydown", (event) => this.press(event));
  }

  groupButtons() {
    const groups = new Map([["", word("pickerEvery")], ...this.all.map(({ group, group_title: title }) => [group, title])]);
    return [...groups].map(([group, title]) => {
      const button = make("button", { type: "button", textContent: title, ariaPressed: String(!group) });
      button.addEventListener("click", () => {
        this.group = group;
        for (const each of this.groups.children) each.ariaPressed = String(each === button);
        this.showAll();
      });
      return button;
    });
  }

  open() {
    this.showPicked();
    this.showAll();
    this.dialog.open(matchMedia("(max-width: 640px)").matches ? this.element.querySelector(".close") : this.find);
  }

  // All of them.

  showAll() {
    const text = this.find.value.trim();
    const within = this.all.filter(({ group }) => !this.group || group === this.group);
    const found = text ? ranked(within, text) : within;
    this.list.replaceChildren(...found.map((entry) => make("li", {}, this.entry(entry))));
    this.none.textContent = found.length ? "" : word("pickerNone");
    this.list.scrollTop = 0;
  }

  entry(entry) {
    const button = make("button", { type: "button", dataset: { name: entry.name }, ariaLabel: word("pickerAdd", { title: `${entry.title} ${entry.name}` }) },
      make("span", { textContent: entry.title }), " ", make("code", { textContent: entry.name }));
    button.addEventListener("click", () => this.add(entry));
    return button;
  }

  /** With its defaults; where it stands there so already, with the next usual period. */
  add(entry) {
    const keys = this.panel.indicators;
    if (keys.length >= MOST) {
      this.say(word("pickerFull", { n: MOST }), true);
      return;
    }
    const key = this.variants(entry).find((each) => !keys.includes(each));
    if (key) {
      this.keep([...keys, key]);
      this.say(word("pickerAdded", { title: entry.title }));
    } else this.say(word("pickerThere", { title: entry.title }), true);
    this.rows.get(key ?? entry.key)?.bring();
  }

  variants(entry) {
    const against = entry.inputs.includes("against") ? `~${this.other()}` : "";
    return this.periods(entry).map((key) => key + against);
  }

  /** What the last one of its kind is measured against; else the index that most mean, or another symbol. */
  other() {
    const said = this.panel.indicators.map((key) => key.split("~")[1]).findLast(Boolean);
    const [index, ...others] = this.usual.filter((each) => each !== this.panel.subject?.symbol);
    return said ?? index ?? others[0] ?? this.panel.subject.symbol;
  }

  periods(entry) {
    const [first, ...rest] = entry.parameters;
    if (first?.name !== "period") return [entry.key];
    const others = PERIODS.filter((period) => period >= first.least && period <= first.most);
    return [entry.key, ...others.map((period) => [entry.name, period, ...rest.map((each) => each.default)].join("_"))];
  }

  // Those on the chart.

  showPicked() {
    const keys = this.panel.indicators;
    const held = document.activeElement?.closest?.("[data-key]");
    const [heldKey, heldPart] = [held?.dataset.key, document.activeElement?.dataset.part];
    const gone = [...this.rows.keys()].filter((key) => !keys.includes(key));
    for (const key of gone) this.rows.delete(key);
    for (const key of keys) if (!this.rows.has(key)) this.rows.set(key, new PickedRow(this, key));
    this.picked.replaceChildren(...keys.map((key) => this.rows.get(key).element));
    keys.forEach((key, place) => this.rows.get(key).show(place, keys.length));
    if (heldKey) this.rows.get(heldKey)?.element.querySelector(`[data-part="${heldPart}"]`)?.focus();
    this.heading.textContent = word("pickerPicked", { n: count(keys.length), most: count(MOST) });
    const why = this.whyEmpty(keys);
    this.why.textContent = why;
    this.why.hidden = !why;
    this.reset.disabled = keys === DRAWN && !this.panel.hidden.length;
  }

  /** Why nothing of them is seen, where nothing is. */
  whyEmpty(keys) {
    const { known, part } = this.panel;
    if (!keys.length) return word("pickerNothing");
    const none = this.panel.whyNoIndicators();
    if (none) return none;
    if (known?.bars.length) return "";
    const said = part("plot").querySelector("[data-state-box]:not([hidden]) p")?.textContent;
    return said || word("pickerWaits");
  }

  /** By key what of them is on the chart, where it is. */
  lines(key) {
    return (this.panel.chart.shown?.lines ?? []).filter((line) => line.key === key);
  }

  keep(keys) {
    const isUsual = keys.join() === DRAWN.join();
    prefer("chart.indicators", isUsual ? null : keys);
    const left = this.panel.hidden.filter((key) => keys.includes(key));
    prefer("chart.hidden", left.length ? left : null);
  }

  move(key, by) {
    const keys = [...this.panel.indicators];
    const at = keys.indexOf(key);
    keys.splice(at, 1);
    keys.splice(at + by, 0, key);
    this.keep(keys);
    this.say(word("pickerMoved", { title: this.rows.get(key).title, place: at + by + 1 }));
  }

  remove(key) {
    const keys = this.panel.indicators;
    const [row, next] = [this.rows.get(key), keys[keys.indexOf(key) + 1] ?? keys[keys.indexOf(key) - 1]];
    this.keep(keys.filter((each) => each !== key));
    this.say(word("pickerRemoved", { title: row.title }));
    (this.rows.get(next)?.element.querySelector("[data-part=remove]") ?? this.find).focus();
  }

  replace(key, other) {
    const row = this.rows.get(key);
    this.rows.delete(key);
    this.rows.set(other, row);
    row.rename(other);
    const hidden = this.panel.hidden;
    if (hidden.includes(key)) prefer("chart.hidden", hidden.map((each) => (each === key ? other : each)));
    this.keep(this.panel.indicators.map((each) => (each === key ? other : each)));
  }

  resetAll() {
    prefer("chart.indicators", null);
    prefer("chart.hidden", null);
    this.say(word("pickerWasReset"));
    this.find.focus();
  }

  say(text, isWrong = false) {
    this.said.textContent = text;
    this.said.className = isWrong ? "refused" : "visually-hidden";
  }

  /** Up and down between the search and what it found. */
  press(event) {
    const { key, target } = event;
    if (key !== "ArrowDown" && key !== "ArrowUp") return;
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.indexOf(target);
    if (target !== this.find && at < 0) return;
    event.preventDefault();
    const next = at + (key === "ArrowDown" ? 1 : -1);
    (next < 0 ? this.find : buttons[Math.min(next, buttons.length - 1)])?.focus();
  }
}
