// What this person chose about how pages look and work: kept on the account, or for a guest in this browser.
//
//   chosen("density")                what was chosen: "compact"; null where nothing was, and the default holds
//   prefer("density", "compact")     keep it, apply it, tell it; null forgets it
//   chosen("chart.scale")            any JSON of at most 4,000 characters, within one of three groups:
//   prefer("chart.scale", "log")     chart.SETTING, columns.TABLE and drawings.SYMBOL
//
// Names: theme, palette, density, language, time_zone, tour, and those within the groups. The server puts theme, palette,
// density and time zone onto <html> before the page is seen. `document` tells every change, also one of another tab, by a
// "preference" event with `detail` {name, value}; and "preferencerefused" with {reason, status} where the account does not take one.

import { patch } from "./page.js";

const PATH = "/api/v2/preferences/";
const STORE = "preferences"; // of a guest, in localStorage, what the server does not need for the page
const YEAR = 31_536_000;
const TOGETHER = 250; // ms: what changes in one go leaves in one request
const AGAIN = 5000;
const COOKIES = { theme: "theme", palette: "palette", density: "density", time_zone: "time_zone", tour: "tour", language: "django_language" };
const DEFAULTS = { theme: null, density: "comfortable", time_zone: null, palette: document.documentElement.lang === "ko" ? "red-blue" : "green-red" };

const root = document.documentElement;
const account = document.getElementById("preferences");
const values = new Map(Object.entries(account ? JSON.parse(account.textContent) : guests()));
const tabs = new BroadcastChannel("preferences");
const waiting = new Map(); // what the account does not have yet
let sent = null; // what is on its way: what is chosen meanwhile goes after it, for beside it might come before
let timer = null;

export function chosen(name) {
  return values.get(name) ?? null;
}

export function prefer(name, value) {
  if (JSON.stringify(chosen(name)) === JSON.stringify(value)) return;
  take(name, value);
  tabs.postMessage({ name, value, isAccount: Boolean(account) });
  if (name in COOKIES) write(COOKIES[name], value); // so that the first page after a log-out looks like the last before it
  else if (!account) store();
  if (account) {
    waiting.set(name, value);
    schedule(TOGETHER);
  }
}

function take(name, value) {
  if (value === null) values.delete(name);
  else values.set(name, value);
  if (name in DEFAULTS) wear(name.replace("_z", "Z"), value ?? DEFAULTS[name]);
  document.dispatchEvent(new CustomEvent("preference", { detail: { name, value } }));
}

function wear(attribute, value) {
  if (value === null) delete root.dataset[attribute];
  else root.dataset[attribute] = value;
}

// A guest's, in this browser.

function guests() {
  const said = Object.fromEntries(document.cookie.split("; ").map((each) => each.split("=")));
  const small = Object.entries(COOKIES).filter(([, cookie]) => said[cookie]).map(([name, cookie]) => [name, said[cookie].replaceAll("%2F", "/")]);
  return { ...stored(), ...Object.fromEntries(small) };
}

/** What a guest chose that stands in no cookie, by name. */
export function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch {
    return {}; // the browser keeps nothing, or something else wrote there
  }
}

function store() {
  const kept = [...values].filter(([name]) => !(name in COOKIES));
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(kept)));
  } catch {
    // A browser that keeps nothing: what was chosen holds for this page.
  }
}

function write(cookie, value) {
  document.cookie = `${cookie}=${encodeURIComponent(value ?? "")}; path=/; max-age=${value === null ? 0 : YEAR}; samesite=lax`;
}

// On the account.

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(send, delay);
}

async function send() {
  if (sent || !waiting.size) return;
  sent = new Map(waiting);
  waiting.clear();
  let next = TOGETHER;
  try {
    await patch(PATH, nested(sent));
  } catch (error) {
    if (error.status && error.status < 500 && error.status !== 429) {
      document.dispatchEvent(new CustomEvent("preferencerefused", { detail: { reason: error.message, status: error.status } }));
    } else {
      for (const [name, value] of sent) if (!waiting.has(name)) waiting.set(name, value);
      next = AGAIN;
    }
  }
  sent = null;
  if (waiting.size) schedule(next);
}

/** As the page goes, with what is on its way: the browser breaks that off. */
function sendLast() {
  const left = new Map([...(sent ?? []), ...waiting]);
  if (left.size) patch(PATH, nested(left), { keepalive: true }).catch(() => {});
}

function nested(changes) {
  const body = {};
  for (const [name, value] of changes) {
    const [group, ...key] = name.split(".");
    if (key.length) (body[group] ??= {})[key.join(".")] = value;
    else body[name] = value;
  }
  return body;
}

tabs.addEventListener("message", ({ data }) => {
  if (data.isAccount === Boolean(account)) take(data.name, data.value);
});
addEventListener("pagehide", sendLast);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("preference", { detail: { name: "theme", value: chosen("theme") } }));
});
