// The frame of every page: preferences, search, the connection pill and the market's state.

import { page } from "./page.js";
import { showRights } from "./rights.js";
import { openSearch } from "./search.js";
import { age, duration, word } from "./words.js";

export const isRecorded = page?.source?.is_recorded ?? false;
const root = document.documentElement;
const YEAR = 31_536_000;

for (const field of document.querySelectorAll("[data-preference]")) {
  const name = field.dataset.preference;
  const chosen = field.querySelector(`[value="${root.dataset[name] ?? ""}"]`);
  if (chosen) chosen.checked = true;
  field.addEventListener("change", (event) => prefer(name, event.target.value));
}

for (const opener of document.querySelectorAll("[data-search]")) opener.addEventListener("click", () => openSearch());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const isSearch = (event.key === "/" && !typing) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey));
  if (isSearch) {
    event.preventDefault();
    openSearch();
  }
  if (event.key === "Escape") closeMenus();
});

document.addEventListener("click", (event) => closeMenus(event.target));

/** Show what the stream is doing, and how old its last word is. */
export function showConnection(stream) {
  showRights(stream);
  const pill = document.querySelector("[data-connection]");
  if (!pill) return;
  const said = pill.querySelector("[data-connection-word]");
  const heard = pill.querySelector("[data-connection-age]");
  const tick = () => {
    heard.textContent = stream.heardAt ? age(Date.now() - stream.heardAt) : "";
  };
  const tell = () => {
    pill.dataset.status = connectionStatus(stream);
    setText(said, word(connectionWord(stream)));
    showSource(stream);
    tick();
  };
  stream.on("state", tell);
  tell();
  setInterval(tick, 1000);
}

function connectionStatus({ state, service, isFlowing }) {
  if (state !== "live") return state;
  if (!service) return "connecting";
  return isFlowing ? "live" : "stale";
}

function connectionWord({ state, service }) {
  if (state !== "live") return state;
  if (!service) return "connecting";
  if (!service.redis) return "noRedis";
  if (!service.feed) return "noFeed";
  if (!service.source) return "noSource";
  return isRecorded ? "connected" : "live"; // what is played again is not live, however well connected
}

/** The source's chip is live only while prices can come from it; where it does not answer, a line says why. */
function showSource({ state, service, isFlowing }) {
  const [chip, away] = ["[data-source]", "[data-away]"].map((name) => document.querySelector(name));
  if (!chip || !away) return;
  if (service) chip.dataset.status = isFlowing ? "live" : "stale";
  away.hidden = !(state === "live" && service?.feed && !service.source);
  setText(away.querySelector("[data-away-reason]"), service?.detail ? `${service.detail}.` : "");
}

/** The market chip: recorded sessions tell their state with their prices, live markets keep hours. */
export function showMarket(rows, market = page.market) {
  const chip = document.querySelector("[data-market]");
  if (!chip) return;
  const { state, session } = isRecorded ? playedState(rows) : market;
  if (!session) return;
  setText(chip.querySelector("[data-market-word]"), word(state));
  setText(chip.querySelector("[data-market-session]"), session);
  setText(chip.querySelector("[data-market-until]"), untilChange(market));
}

/** Open while any symbol of the exchange still trades in its newest session. */
function playedState(rows) {
  const quotes = rows.filter((row) => row.quote && row.exchange === page.market.exchange).map(({ quote }) => quote);
  const newest = quotes.map((quote) => quote.session_date).sort().at(-1);
  const states = quotes.filter((quote) => quote.session_date === newest).map((quote) => quote.market_state);
  return { state: states.includes("open") ? "open" : states[0], session: newest };
}

function untilChange({ state, opens_at: opens, closes_at: closes }) {
  const [key, at] = state === "open" ? ["closesIn", closes] : ["opensIn", opens];
  const seconds = at ? (Date.parse(at) - Date.now()) / 1000 : -1;
  return seconds > 0 ? word(key, { time: duration(Math.ceil(seconds / 60) * 60) }) : "";
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function prefer(name, value) {
  if (value) root.dataset[name] = value;
  else delete root.dataset[name];
  document.cookie = `${name}=${value}; path=/; max-age=${value ? YEAR : 0}; samesite=lax`;
  document.dispatchEvent(new CustomEvent("preference", { detail: { name, value } }));
}

function closeMenus(inside = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (inside && menu.contains(inside)) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held && !inside) menu.querySelector("summary").focus();
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("preference", { detail: { name: "theme" } }));
});

