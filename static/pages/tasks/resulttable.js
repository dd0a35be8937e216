// What a job came to as tables, with its JSON behind: objects as names and values, lists of objects as rows.

import { make } from "../../components/element.js";
import { count, word } from "../../words/words.js";

const MOST = 100; // rows that are shown; the JSON has all
const DEEPEST = 3;

export function resultTable(value) {
  const json = make("pre", { tabIndex: 0, textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });
  if (value === null || typeof value !== "object" || !Object.keys(value).length) return make("div", { className: "result" }, json);
  const behind = make("details", {}, make("summary", { textContent: "JSON" }), json);
  return make("div", { className: "result" }, shown(value, 0), behind);
}

function shown(value, depth) {
  if (value === null || value === undefined) return text("–");
  if (typeof value === "number") return text(count(value, 6));
  if (typeof value === "boolean") return text(word(value ? "yes" : "no"));
  if (typeof value !== "object") return text(String(value));
  if (depth > DEEPEST) return text(JSON.stringify(value));
  if (!Array.isArray(value)) return pairs(value, depth);
  if (!value.length) return text(word("noneOf"));
  if (value.every(isPlain)) return text(value.slice(0, MOST).join(", ") + (value.length > MOST ? ` ${more(value.length)}` : ""));
  return value.every((each) => each && typeof each === "object" && !Array.isArray(each)) ? rows(value, depth) : pairs(value, depth);
}

function pairs(value, depth) {
  const all = Object.entries(value);
  const lines = all.slice(0, MOST).map(([name, each]) => make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", {}, shown(each, depth + 1))));
  return withRest(make("table", { className: "pairs" }, make("tbody", {}, ...lines)), all.length);
}

function rows(value, depth) {
  const names = [...new Set(value.flatMap((each) => Object.keys(each)))];
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", textContent: name })));
  const lines = value.slice(0, MOST).map((each) => make("tr", {}, ...names.map((name) => make("td", {}, shown(each[name], depth + 1)))));
  return withRest(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)), value.length);
}

function withRest(table, length) {
  return length > MOST ? make("div", {}, table, make("p", { className: "quiet", textContent: more(length) })) : table;
}

function more(length) {
  return word("andOthers", { n: count(length - MOST) });
}

function isPlain(value) {
  return value !== null && typeof value !== "object";
}

function text(textContent) {
  return make("span", { textContent });
}
