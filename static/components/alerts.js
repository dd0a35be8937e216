// The list of alerts: what rang before the page opened is in it; what rings now is added on top, once.

import { readPage } from "./page.js";
import { count, moment, price, word } from "../words/words.js";

const MOST = 30;
const READ_WITHIN = 1500; // not all pages ask in the same moment

export function showAlerts(stream, list, only = null) {
  if (!list) return;
  stream.on("alert", (alert) => {
    if (only && alert.symbol !== only) return;
    if (list.querySelector(`[data-id="${CSS.escape(idOf(alert))}"]`)) return;
    list.querySelector(".none")?.remove();
    list.prepend(row(alert));
    while (list.children.length > MOST) list.lastElementChild.remove();
  });
  let waiting = null;
  const missed = ({ stream: name }) => {
    if (name.startsWith("alerts:")) waiting ??= setTimeout(() => readAgain(list).finally(() => (waiting = null)), Math.random() * READ_WITHIN);
  };
  stream.on("lost", missed).on("epoch", missed);
}

/** What rang unheard stands in the page, as the server makes it anew. */
async function readAgain(list) {
  const told = await readPage(location.href).catch(() => null);
  const fresh = told?.querySelector("[data-alerts]");
  if (fresh) list.replaceChildren(...fresh.children);
}

/** What the list says of each that is of a session: [{date, text}], for a chart to mark. */
export function listed(list) {
  return [...list.querySelectorAll("[data-session]")].map((item) => ({
    date: item.dataset.session, text: item.querySelector("span").textContent,
  }));
}

function row(alert) {
  const item = document.createElement("li");
  item.dataset.id = idOf(alert);
  item.dataset.severity = alert.severity;
  if (alert.session_date) item.dataset.session = alert.session_date;
  if (alert.symbol) {
    const link = Object.assign(document.createElement("a"), { href: `/symbols/${encodeURIComponent(alert.symbol)}/` });
    link.append(Object.assign(document.createElement("b"), { textContent: alert.symbol }));
    item.append(link);
  }
  const text = Object.assign(document.createElement("span"), { textContent: says(alert) });
  const time = Object.assign(document.createElement("time"), { dateTime: alert.timestamp, textContent: alert.session_date ?? moment(alert.timestamp) });
  if (alert.as_of_precision !== "day") time.title = moment(alert.timestamp);
  item.append(text, time);
  return item;
}

/** What rang, worded as realtime/wording.py does; what has no values, or is of a kind without words here, keeps its text. */
function says({ kind, symbol, values, message }) {
  const key = `alert-${kind}`.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
  if (!values || word(key) === key) return message;
  const of = (value) => price(value, values.decimals);
  const percent = values.change_percent == null ? "" : count(Math.abs(values.change_percent), 1);
  return word(key, { symbol, percent, level: of(values.level), price: of(values.price), close: of(values.close) });
}

/** What staff say as an alert is of no row, and neither is what rings in a replay: once a session, symbol and level. */
function idOf({ id, timestamp, symbol, kind, values }) {
  return String(id ?? [timestamp, symbol, kind, values?.level].filter((part) => part != null).join(" "));
}
