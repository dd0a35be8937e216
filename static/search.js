// Search over symbols and pages: `/` or Ctrl-K from everywhere.

import { get } from "./page.js";
import { word } from "./words.js";

const dialog = document.querySelector("[data-search-dialog]");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("ul");
const MOST = 12;
let entries = null;
let failed = false;
let shown = [];
let chosen = 0;

export async function openSearch() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  input.value = "";
  input.focus();
  await load();
  show();
}

async function load() {
  const pages = [...document.querySelectorAll(".rail a")].map(page);
  if (entries && !failed) return;
  failed = false;
  try {
    const { results } = await get("/api/v2/symbols/?limit=1000&active=true");
    entries = [...results.map(entry), ...pages];
  } catch {
    failed = true;
    entries = pages;
  }
}

function page(link) {
  return { ticker: link.textContent.trim(), name: link.pathname, kind: word("page"), href: link.href };
}

function entry({ symbol, name, local_name: localName }) {
  return { ticker: symbol, name, localName, kind: "", href: `/symbols/${encodeURIComponent(symbol)}/` };
}

function show() {
  shown = ranked(input.value.trim().toLowerCase());
  chosen = Math.min(chosen, Math.max(0, shown.length - 1));
  list.replaceChildren(...shown.map(option));
  if (failed) list.append(note(word("searchFailed")));
  else if (!shown.length) list.append(note(word("nothingFound")));
  point();
}

/** Tickers that begin with the words first, then names that do, then any that hold them. */
function ranked(text) {
  const score = ({ ticker, name, localName = "" }) => {
    const [a, b] = [ticker.toLowerCase(), name.toLowerCase()];
    if (text && localName.toLowerCase().startsWith(text)) return 0;
    if (a.startsWith(text)) return 0;
    if (b.startsWith(text)) return 1;
    return a.includes(text) || b.includes(text) ? 2 : 3;
  };
  return (entries ?? []).filter((each) => score(each) < 3).sort((a, b) => score(a) - score(b)).slice(0, MOST);
}

function option(each, index) {
  const row = document.createElement("li");
  row.role = "option";
  row.id = `search-${index}`;
  for (const [tag, text] of [["b", each.ticker], ["span", each.name], ["small", each.kind]]) {
    row.append(Object.assign(document.createElement(tag), { textContent: text }));
  }
  row.addEventListener("click", () => location.assign(each.href));
  row.addEventListener("pointermove", () => {
    chosen = index;
    point();
  });
  return row;
}

function note(text) {
  return Object.assign(document.createElement("li"), { className: "none", textContent: text });
}

function point() {
  [...list.querySelectorAll("[role=option]")].forEach((row, index) => row.setAttribute("aria-selected", index === chosen));
  const row = list.querySelector("[aria-selected=true]");
  row?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", row?.id ?? "");
}

function keys(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && shown.length) {
    event.preventDefault();
    chosen = (chosen + steps[event.key] + shown.length) % shown.length;
    point();
  }
  if (event.key === "Enter") {
    event.preventDefault();
    if (shown[chosen]) location.assign(shown[chosen].href);
  }
}

input?.addEventListener("keydown", keys);
input?.addEventListener("input", () => {
  chosen = 0;
  show();
});
dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close());
