// The feed of signals. Filters stand in the address; what is seen meanwhile comes by the stream.

import { Address } from "../../components/address.js";
import { badge, showBadge } from "../../components/badge.js";
import { showConnection } from "../../components/connection.js";
import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { get, page } from "../../components/page.js";
import { States } from "../../components/states.js";
import { suggestSymbols } from "../../components/suggest.js";
import { Table } from "../../components/table/table.js";
import { Stream } from "../../stream/stream.js";
import { direction, moment, percent, price, word } from "../../words/words.js";

const FIELDS = ["symbol", "rule", "direction", "state", "start", "end"];
const BADGES = { provisional: "pending", confirmed: "completed", withdrawn: "cancelled", revised: "partial" };
const ARROWS = { up: "▲ ", down: "▼ ", none: "" };
const LIMIT = 50;
const [TYPING, SOON] = [300, 1000];
const board = document.querySelector("[data-signals]");
const part = (name) => board.querySelector(`[data-${name}]`);
const form = part("filters");
const address = new Address(Object.fromEntries(FIELDS.map((name) => [name, ""])));
const states = new States(part("frame"), part("list"));
const table = new Table(part("list"), { columns: columns(), keyOf: ({ id }) => id });
let [rows, next, asking, isShown, typing, due] = [[], null, null, false, null, null];

function columns() {
  const text = (told) => ({ build: (cell) => (row) => setText(cell, told(row)) });
  return {
    symbol: { build: (cell, { symbol }) => {
      cell.append(make("a", { href: `/symbols/${encodeURIComponent(symbol)}/`, textContent: symbol }));
      return () => {};
    } },
    rule: { build: (cell) => {
      const [arrow, title] = [make("span", { ariaHidden: "true" }), make("span")];
      cell.append(arrow, title);
      return (row) => {
        arrow.dataset.direction = row.direction;
        setText(arrow, ARROWS[row.direction]);
        setText(title, page.rules[row.rule] ?? row.rule);
        cell.title = `${page.directions[row.direction]} · ${page.rules[row.rule] ?? row.rule}`;
      };
    } },
    session: text(({ session_date: day }) => day),
    price: text((row) => price(row.price, 6)),
    after: { build: (cell) => ({ after }) => {
      const move = after.move_percent;
      cell.dataset.direction = move == null ? "" : direction(move);
      setText(cell, move == null ? "–" : percent(move));
      cell.title = move == null ? word("notThere") : "";
    } },
    state: { build: (cell) => {
      const [mark, more] = [badge(), make("small", { className: "quiet" })];
      cell.append(mark, " ", more);
      return (row) => {
        showBadge(mark, BADGES[row.state], page.states[row.state]);
        setText(more, row.state === "revised" && !row.holds ? word("notHolding") : "");
        cell.title = word(row.seen_by === "live" ? "seenLive" : "seenHistory", { moment: moment(row.seen_at) });
      };
    } },
  };
}

function asked() {
  return Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
}

async function look(more = null) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const query = new URLSearchParams({ ...asked(), limit: Math.max(LIMIT, Math.min(rows.length, 1000)) });
  try {
    const told = await get(more ?? `/api/v2/signals/?${query}`, { signal: mine.signal });
    if (mine.signal.aborted) return;
    rows = more ? [...rows, ...told.results] : told.results;
    next = told.next && new URL(told.next).pathname + new URL(told.next).search;
    show();
  } catch (error) {
    if (!mine.signal.aborted) fail(error);
  }
}

function show() {
  table.fill(rows);
  states.renewed();
  part("more").hidden = !next;
  if (rows.length) states.filled();
  else if (Object.keys(asked()).length) states.empty(word("noneFound"), word("noneFoundText"), [word("clear"), clear]);
  else states.empty(word("noSignals"), word("noSignalsText"));
  if (!isShown) address.restore();
  isShown = true;
}

function fail(error) {
  if (error.status === 404 || error.status === 400) {
    rows = [];
    table.fill([]);
    part("more").hidden = true;
    states.empty(error.message, "", [word("clear"), clear]);
  } else if (isShown) states.late(error, () => look());
  else states.failed(word("listFailed"), error, begin);
}

/** Others are asked for: none of the last stand under their name. */
function begin() {
  [rows, next, isShown] = [[], null, false];
  table.fill([]);
  states.loading();
  part("more").hidden = true;
  look();
}

function changed() {
  address.set(Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value.trim()])));
  begin();
}

function clear() {
  for (const name of FIELDS) form.elements[name].value = "";
  changed();
}

/** Many come together with a close. */
function renew() {
  due ??= setTimeout(() => {
    due = null;
    look();
  }, SOON);
}

for (const name of FIELDS) form.elements[name].value = address.get(name, form.elements[name].options && [...form.elements[name].options].map(({ value }) => value));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => target.name !== "symbol" && changed());
form.elements.symbol.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(changed, TYPING);
});
part("more").addEventListener("click", () => next && look(next));
suggestSymbols(form.elements.symbol);
const stream = new Stream();
showConnection(stream);
stream.on("signal", renew);
stream.on("epoch", renew);
stream.subscribe("system").subscribe("signals").open();
begin();
