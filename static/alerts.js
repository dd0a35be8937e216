// The list of alerts: what rang before the page opened is in it; what rings now is added on top, once.

import { moment } from "./words.js";

const MOST = 30;

export function showAlerts(stream, list, only = null) {
  if (!list) return;
  stream.on("alert", (alert) => {
    if (only && alert.symbol !== only) return;
    if (list.querySelector(`[data-id="${CSS.escape(alert.id)}"]`)) return;
    list.querySelector(".none")?.remove();
    list.prepend(row(alert));
    while (list.children.length > MOST) list.lastElementChild.remove();
  });
}

function row(alert) {
  const item = document.createElement("li");
  item.dataset.id = alert.id;
  item.dataset.severity = alert.severity;
  const link = Object.assign(document.createElement("a"), { href: `/symbols/${encodeURIComponent(alert.symbol)}/` });
  link.append(Object.assign(document.createElement("b"), { textContent: alert.symbol }));
  const text = Object.assign(document.createElement("span"), { textContent: alert.message });
  const time = Object.assign(document.createElement("time"), { dateTime: alert.timestamp, textContent: alert.session_date });
  if (alert.as_of_precision !== "day") time.title = moment(alert.timestamp);
  item.append(link, text, time);
  return item;
}
