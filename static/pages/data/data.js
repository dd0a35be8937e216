// The page of the data: what is held, what is missing and doubtful, and what was revised. Tab and filters stand in the address.

import { Acts } from "./acts.js";
import { Address } from "../../components/address.js";
import { showConnection } from "../../components/connection.js";
import { columnsOf } from "./columns.js";
import { get, page } from "../../components/page.js";
import { showSource } from "./source.js";
import { Stream } from "../../stream/stream.js";
import { States } from "../../components/states.js";
import { suggestSymbols } from "../../components/suggest.js";
import { Table } from "../../components/table/table.js";
import { word } from "../../words/words.js";

const TABS = {
  coverage: { path: "coverage/", keyOf: ({ symbol, interval }) => `${symbol}@${interval}`, filters: ["symbol", "interval", "state"] },
  gaps: { path: "coverage/?state=unproven", keyOf: ({ symbol, interval }) => `${symbol}@${interval}`, filters: ["symbol", "interval"], limit: 25 },
  quarantine: { path: "quarantine/", keyOf: ({ id, state }) => `${id}.${state}`, filters: ["symbol", "interval", "state"] },
  disputes: { path: "disputes/", keyOf: ({ id }) => id, filters: ["symbol", "state"] },
  restatements: { path: "restatements/", keyOf: (row) => [row.what, row.symbol, row.interval, row.opened_at, row.session_date, row.revised_at, row.before.revision, row.before.kind, row.before.value].join("|"), filters: ["symbol", "interval"] },
};
const LIMIT = 50;
const TYPING = 300;
const board = document.querySelector("[data-data]");
const part = (name) => board.querySelector(`[data-${name}]`);
const form = part("filters");
const address = new Address({ tab: "coverage", symbol: "", interval: "", state: "" });
const columns = columnsOf(new Acts({ done: () => look() }), page.may, page.titles);
const lists = Object.fromEntries(Object.entries(TABS).map(([name, { keyOf }]) => {
  const element = board.querySelector(`[data-list="${name}"]`);
  return [name, { states: new States(part("frame"), element), element, table: new Table(element, { columns: columns[name], keyOf }) }];
}));
let tab = address.get("tab", Object.keys(TABS));
let [rows, next, asking, isShown] = [[], null, null, false];

const stateField = () => form.querySelector(`select[data-of="${tab}"]`);

/** What the fields say, of those that count for this tab. */
function asked() {
  const fields = { symbol: form.elements.symbol.value.trim(), interval: form.elements.interval.value, state: stateField()?.value ?? "" };
  return Object.fromEntries(TABS[tab].filters.map((name) => [name, fields[name]]).filter(([, value]) => value));
}

async function look(more = null) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const { path, limit = LIMIT } = TABS[tab];
  const query = new URLSearchParams({ ...asked(), limit: more ? limit : Math.max(limit, Math.min(rows.length, 1000)) });
  try {
    const told = await get(more ?? `/api/v2/${path}${path.includes("?") ? "&" : "?"}${query}`, { signal: mine.signal });
    if (mine.signal.aborted) return;
    rows = more ? [...rows, ...told.results] : told.results;
    next = told.next && new URL(told.next).pathname + new URL(told.next).search;
    show();
  } catch (error) {
    if (!mine.signal.aborted) fail(error);
  }
}

function show() {
  const { states, table } = lists[tab];
  table.fill(rows);
  states.renewed();
  part("more").hidden = !next;
  if (rows.length) states.filled();
  else if (Object.keys(asked()).length) states.empty(word("noneFound"), word("noneFoundText"), [word("clear"), clear]);
  else states.empty(word(`none${tab[0].toUpperCase()}${tab.slice(1)}`), word(`none${tab[0].toUpperCase()}${tab.slice(1)}Text`));
  if (!isShown) address.restore();
  isShown = true;
}

function fail(error) {
  if (error.status === 404) {
    rows = [];
    lists[tab].table.fill([]);
    part("more").hidden = true;
    lists[tab].states.empty(error.message, "", [word("clear"), clear]);
  } else if (isShown) lists[tab].states.late(error, () => look());
  else lists[tab].states.failed(word("listFailed"), error, begin);
}

/** Others are asked for: none of the last stand under their name. */
function begin() {
  [rows, next, isShown] = [[], null, false];
  lists[tab].table.fill([]);
  lists[tab].states.loading();
  part("more").hidden = true;
  look();
}

function changed() {
  address.set({ tab, symbol: form.elements.symbol.value.trim(), interval: form.elements.interval.value, state: stateField()?.value ?? "" });
  begin();
}

function choose(name) {
  lists[tab].element.hidden = true;
  tab = name;
  press();
  changed();
}

function clear() {
  form.elements.symbol.value = form.elements.interval.value = "";
  if (stateField()) stateField().value = "";
  changed();
}

/** The tab that is shown, and the fields that count for it. */
function press() {
  for (const each of board.querySelectorAll("[data-tab]")) each.setAttribute("aria-pressed", String(each.dataset.tab === tab));
  for (const each of form.querySelectorAll("select[data-of]")) each.hidden = each.dataset.of !== tab;
  part("intervals").hidden = !TABS[tab].filters.includes("interval");
}

form.elements.symbol.value = address.get("symbol");
form.elements.interval.value = address.get("interval", [...form.elements.interval.options].map(({ value }) => value));
if (stateField()) stateField().value = address.get("state", [...stateField().options].map(({ value }) => value));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => target.localName === "select" && changed());
let typing = null;
form.elements.symbol.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(changed, TYPING);
});
for (const each of board.querySelectorAll("[data-tab]")) each.addEventListener("click", () => each.dataset.tab === tab || choose(each.dataset.tab));
part("more").addEventListener("click", () => next && look(next));
suggestSymbols(form.elements.symbol);
press();
showSource(part("source-health"));
const stream = new Stream();
showConnection(stream);
stream.subscribe("system").open();
begin();
