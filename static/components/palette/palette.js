// The command palette: `/` or Ctrl-K from everywhere, for symbols, pages and actions.

import { make } from "../element.js";
import { actions, pages } from "./commands.js";
import { ranked } from "./matching.js";
import { recent, remember } from "./recent.js";
import { cancelSearch, search, symbols } from "./symbols.js";
import { word } from "../../words/words.js";

const dialog = document.querySelector("[data-palette-dialog]");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
const said = dialog?.querySelector("[data-said]");
const retry = dialog?.querySelector("[data-retry]");
const MOST = 12;
const RECENT = 5;
const SOME = 3;
const IDLE_WITHIN = 4000;
const TICKER = /^\^?[a-z0-9][a-z0-9.&=-]{0,30}$/i;
const isKnownPerson = Boolean(document.getElementById("preferences")); // who is logged in

let known = { entries: [], isWhole: false };
let state = "loading"; // of the list: loading, here or failed
let own = []; // pages and actions, as they are when the palette opens
const NOT_ASKED = { text: "", entries: [] };
let answer = NOT_ASKED; // what the server knows beyond the list, of the text it was last asked for
let isAsking = false;
let isEntered = false; // Enter was pressed before there was anything to open
let isMoved = false;
let shown = [];
let chosen = 0;

/** The frame has opened the dialog; `isEntered`: something was typed and Enter pressed meanwhile. */
export function opened({ isEntered: isHasty }) {
  own = [...pages(), ...actions()].map((entry, order) => ({ ...entry, order: 10_000 + order }));
  typed();
  if (isHasty) enter();
  load();
}

async function load() {
  try {
    known = await symbols();
    state = "here";
  } catch {
    state = "failed";
  }
  look();
}

function typed() {
  [isEntered, isMoved, isAsking, chosen] = [false, false, false, 0];
  cancelSearch();
  look();
}

/** Show what is meant; where too little here is, ask the server. */
function look() {
  const text = input.value.trim();
  const found = answer.text === text ? answer.entries : [];
  shown = (text ? meant(text, found) : atFirst()).slice(0, MOST);
  chosen = Math.min(chosen, Math.max(0, shown.length - 1));
  if (!shown.length && isSettled() && answer.text === text) shown = addition(text);
  const isShort = known.isWhole ? !shown.length : shown.length < MOST;
  if (text && isShort && state === "here" && answer.text !== text) ask(text);
  show();
  if (isEntered && isSettled() && !shown[chosen]?.isAddition) choose(); // nothing is added that nobody has seen
}

/** Who is logged in may add what nothing here is called. */
function addition(text) {
  if (!isKnownPerson || !TICKER.test(text)) return [];
  const symbol = text.toUpperCase();
  const run = async () => (await import("../adding.js")).addSymbol(symbol);
  return [{ id: `add:${symbol}`, kind: "action", title: word("addSymbol", { symbol }), name: "", isAddition: true, run }];
}

/** The server's are meant too where it found them by words that are not known here. */
function meant(text, found) {
  const ids = new Set(known.entries.map(({ id }) => id));
  const beyond = found.filter(({ id }) => !ids.has(id));
  const best = ranked([...known.entries, ...own], text, recency());
  return [...best, ...beyond, ...known.entries.filter((entry) => found.some(({ id }) => id === entry.id) && !best.includes(entry))];
}

function recency() {
  const places = new Map(recent().map((id, place) => [id, place]));
  return ({ id }) => places.get(id) ?? Infinity;
}

/** Nothing typed: what was opened lately, some symbols, and all that can be done here. */
function atFirst() {
  const place = recency();
  const all = [...known.entries, ...own].filter((entry) => !isHere(entry));
  const used = all.filter((entry) => place(entry) < Infinity).sort((a, b) => place(a) - place(b)).slice(0, RECENT);
  const rest = all.filter((entry) => !used.includes(entry));
  const some = rest.filter(({ kind }) => kind === "symbol").slice(0, SOME);
  return [...used.map((entry) => ({ ...entry, isRecent: true })), ...some, ...rest.filter(({ kind }) => kind !== "symbol")];
}

function isHere({ kind, href }) {
  return kind !== "action" && new URL(href, location).pathname === location.pathname;
}

async function ask(text) {
  isAsking = true;
  const entries = await search(text).catch((error) => error);
  if (entries === null || text !== input.value.trim()) return;
  isAsking = false;
  const isFailed = entries instanceof Error; // which is not to have found nothing
  answer = { text, entries: isFailed ? [] : entries, isFailed };
  look();
}

function isSettled() {
  return state !== "loading" && !isAsking;
}

function show() {
  const isWaiting = !isSettled();
  const lack = isWaiting ? "searching" : "nothingFound";
  const isFailed = state === "failed" || (answer.isFailed && answer.text === input.value.trim());
  const note = isFailed ? word("searchFailed") : shown.length ? "" : word(lack);
  list.replaceChildren(...shown.map(option));
  list.hidden = !shown.length;
  list.setAttribute("aria-busy", isWaiting);
  said.querySelector("p").textContent = note || word("found", { n: shown.length });
  said.classList.toggle("visually-hidden", !note);
  retry.hidden = !isFailed;
  point();
}

function option(entry, index) {
  const kind = word(entry.isRecent ? "recent" : entry.kind);
  const row = make("li", { id: `palette-${index}`, role: "option", dataset: { kind: entry.kind } },
    make("b", { textContent: entry.title }), make("span", { textContent: entry.name }), make("small", { textContent: kind }));
  row.addEventListener("click", () => {
    chosen = index;
    choose();
  });
  row.addEventListener("pointermove", () => {
    if (chosen === index) return;
    chosen = index;
    point();
  });
  return row;
}

function point() {
  [...list.querySelectorAll("[role=option]")].forEach((row, index) => row.setAttribute("aria-selected", index === chosen));
  const row = list.querySelector("[aria-selected=true]");
  row?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", row?.id ?? "");
}

/** Enter: before all is known that may be meant, the wish is kept. */
function enter() {
  isEntered = !isSettled() && !isMoved && input.value.trim() !== "";
  if (!isEntered) choose();
}

/** Go there, or do it. */
function choose() {
  const entry = shown[chosen];
  isEntered = false;
  if (!entry) return;
  if (!entry.isAddition) remember(entry.id);
  dialog.close();
  if (entry.run) entry.run();
  else location.assign(entry.href);
}

function keys(event) {
  if (event.isComposing) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && shown.length) {
    event.preventDefault();
    isMoved = true;
    chosen = (chosen + steps[event.key] + shown.length) % shown.length;
    point();
  }
  if (event.key === "Enter") {
    event.preventDefault();
    enter();
  }
}

// The list of symbols comes while nobody waits for it.
const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 1000));
if (dialog) idle(() => symbols().catch(() => {}), { timeout: IDLE_WITHIN });

retry?.addEventListener("click", () => {
  state = "loading";
  answer = NOT_ASKED;
  input.focus();
  look();
  load();
});
input?.addEventListener("keydown", keys);
input?.addEventListener("input", typed);
dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog?.addEventListener("close", cancelSearch);
