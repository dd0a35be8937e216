// The page of the screener: the line, the builder and the kept screens ask the same question. It stands in the address.

import { Address } from "../../components/address.js";
import { showConnection } from "../../components/connection.js";
import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { get, page, post } from "../../components/page.js";
import { States } from "../../components/states.js";
import { toast } from "../../components/toast.js";
import { Stream } from "../../stream/stream.js";
import { count, word } from "../../words/words.js";
import { Builder } from "./builder.js";
import { Kept } from "./kept.js";
import { fromTree, toLine } from "./lines.js";
import { Results } from "./results.js";

const PATH = "/api/v2/screener/";
const LIMIT = 50;
const TYPING = 250;
const AGAIN = 2000; // while a job computes
const board = document.querySelector("[data-screener]");
const part = (name) => board.querySelector(`[data-${name}]`);
const address = new Address({ where: "", fields: "", sort: "", interval: "1d", screen: "" });
const states = new States(part("frame"), part("list"));
const results = new Results(part("list"), { sorted: sortBy });
const builder = new Builder(part("builder"), { operators: page.operators, signals: new Set(page.names.filter(({ kind }) => kind === "signal").map(({ name }) => name)), changed: built });
const kept = new Kept(board, { asked: question, chosen: take });
const [line, interval, adding] = [part("line"), part("interval"), part("column-input")];
let [fields, sort, next, asking, typing, isShown] = [[], [], null, null, null, false];

function question() {
  return { where: line.value.trim() || null, interval: interval.value, fields, sort };
}

/** `isOfLine`: the builder follows what the line says. */
async function ask({ more = null, isOfLine = false } = {}) {
  asking?.abort();
  clearTimeout(typing);
  const mine = (asking = new AbortController());
  const asked = question();
  try {
    const told = await post(more ?? `${PATH}?limit=${LIMIT}`, asked);
    if (mine.signal.aborted) return;
    if (told.status === "processing") wait(told, { more, isOfLine });
    else show(told, { isMore: Boolean(more), isOfLine });
  } catch (error) {
    if (!mine.signal.aborted) refuse(error, asked);
  }
}

function wait({ symbols, done, total }, again) {
  setText(part("count"), [word("computing", { n: count(symbols) }), total && word("computedOf", { done: count(done), total: count(total) })].filter(Boolean).join(" · "));
  typing = setTimeout(() => ask(again), AGAIN);
}

function show(told, { isMore, isOfLine }) {
  wrong({});
  if (isOfLine) builder.show(fromTree(told.where));
  setText(part("tree"), JSON.stringify({ where: told.where, interval: told.interval, fields: told.fields, sort: told.sort }, null, 2));
  next = told.next && new URL(told.next).pathname + new URL(told.next).search;
  results.show(told, { isMore });
  sum(told);
  part("more").hidden = !next;
  exported();
  states.renewed();
  if (told.matched) states.filled();
  else if (told.asked) states.empty(word("nobody"), word("nobodyText"));
  else states.empty(word("noSymbols"), word("noSymbolsText"));
  if (!isShown) address.restore();
  isShown = true;
}

function sum({ asked, matched, entered, left, unknown, reasons, where }) {
  setText(part("count"), word(unknown ? "countedUnknown" : "counted", { n: count(matched), all: count(asked), unknown: count(unknown) }));
  const moved = entered || left.length ? word("moved", { entered: count(entered), left: count(left.length) }) : word("noneMoved");
  setText(part("moved"), where ? [moved, left.length && word("leftNamed", { symbols: left.slice(0, 8).join(", ") })].filter(Boolean).join(" · ") : "");
  const box = part("unknown");
  box.hidden = !unknown;
  setText(box.querySelector("summary"), word("unknownOf", { n: count(unknown) }));
  const told = Object.entries(reasons);
  const rest = unknown > told.length ? [make("li", { className: "quiet", textContent: word("andOthers", { n: count(unknown - told.length) }) })] : [];
  box.querySelector("ul").replaceChildren(...told.map(([symbol, why]) => make("li", {}, make("b", { textContent: symbol }), " ", make("span", { lang: "en", textContent: why }))), ...rest);
}

/** What is wrong is said where it stands; what was found before stays as long as the line is being written. */
function refuse(error, asked) {
  const told = Object.entries(error.errors ?? {});
  wrong(error.errors ?? {});
  if (told.length) {
    setText(part("count"), "");
    setText(part("moved"), "");
    part("list").hidden = part("unknown").hidden = true;
    states.empty(word("mend"), word("mendText"));
  } else if (isShown) states.late(error, () => ask());
  else states.failed(word("listFailed"), error, () => ask({ isOfLine: Boolean(asked.where) }));
  part("more").hidden = true;
}

function wrong(errors) {
  const of = (isColumn) => Object.entries(errors).filter(([name]) => /^(fields|sort)\b/.test(name) === isColumn).map(([name, told]) => (name === "where" || isColumn ? told : [`${name}: ${told}`])).flat(2).join("\n");
  for (const [box, text] of [[part("wrong"), of(false)], [part("columns-wrong"), of(true)]]) {
    setText(box, text);
    box.hidden = !text;
  }
  line.toggleAttribute("aria-invalid", Boolean(of(false)));
}

/** The same question as a table, by a link. */
function exported() {
  const asked = new URLSearchParams(Object.entries({ where: line.value.trim(), interval: interval.value, fields: fields.join(), sort: sort.join(), limit: 1000 }).filter(([, value]) => value));
  for (const link of board.querySelectorAll("[data-export]")) link.href = `${PATH}?${asked}&format=${link.dataset.export}`;
}

function changed({ isOfLine = false, screen = "" } = {}) {
  address.set({ where: screen ? "" : line.value.trim(), fields: screen ? "" : fields.join(), sort: screen ? "" : sort.join(), interval: screen ? "1d" : interval.value, screen });
  kept.mark(screen);
  ask({ isOfLine });
}

function soon(options) {
  asking?.abort();
  clearTimeout(typing);
  typing = setTimeout(() => changed(options), TYPING);
}

function built(group) {
  line.value = toLine(group);
  soon();
}

function sortBy(name) {
  const [first] = sort;
  const isNumber = name !== "symbol";
  sort = [first === (isNumber ? `-${name}` : name) ? (isNumber ? name : `-${name}`) : isNumber ? `-${name}` : name];
  changed();
}

function showColumns() {
  part("columns").replaceChildren(...fields.map((name) => {
    const gone = make("button", { type: "button", textContent: "×", ariaLabel: word("removeColumn", { name }) });
    gone.addEventListener("click", () => {
      fields = fields.filter((each) => each !== name);
      sort = sort.filter((each) => each.replace(/^-/, "") !== name);
      showColumns();
      adding.focus();
      changed();
    });
    return make("li", {}, make("code", { textContent: name }), gone);
  }));
}

function addColumn() {
  const name = adding.value.trim();
  if (!name) return;
  adding.value = "";
  if (fields.includes(name)) return;
  fields = [...fields, name];
  showColumns();
  changed();
}

/** A kept screen is asked as it is. */
function take(screen) {
  [fields, sort, interval.value] = [[...screen.fields], [...screen.sort], screen.interval];
  const group = fromTree(screen.where);
  line.value = toLine(group);
  builder.show(group);
  showColumns();
  changed({ screen: screen.is_own ? screen.id : screen.token });
}

async function begin() {
  const of = (name) => address.get(name).split(",").map((each) => each.trim()).filter(Boolean);
  [line.value, fields, sort] = [address.get("where"), of("fields"), of("sort")];
  interval.value = address.get("interval", [...interval.options].map(({ value }) => value));
  builder.show(fromTree(null));
  showColumns();
  states.loading();
  const screen = address.get("screen");
  kept.read(screen);
  if (!screen) return ask({ isOfLine: true });
  try {
    const told = await get(`/api/v2/screens/${encodeURIComponent(screen)}/`);
    take(told);
    if (!told.is_own) toast(word("sharedBy", { name: told.name }));
  } catch (error) {
    toast(error.status === 404 ? word("screenGone") : error.message, { isWrong: true });
    address.set({ screen: "" });
    ask({ isOfLine: true });
  }
}

board.querySelector("#screen-names").append(...page.names.map(({ name, title }) => make("option", { value: name, label: title })));
line.addEventListener("input", () => soon({ isOfLine: true }));
line.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  changed({ isOfLine: true });
});
interval.addEventListener("change", () => changed());
adding.addEventListener("change", addColumn);
adding.addEventListener("keydown", ({ key }) => key === "Enter" && addColumn());
part("more").addEventListener("click", () => next && ask({ more: next }));
const stream = new Stream();
showConnection(stream);
stream.subscribe("system").open();
begin();
