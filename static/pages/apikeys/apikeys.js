// One's own API keys: listed, made, shown once, revoked.

import { Address } from "../../components/address.js";
import { Dialog } from "../../components/dialog.js";
import { button, make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { get, post, remove } from "../../components/page.js";
import { reason } from "../../components/states.js";
import { keptOrder } from "../../components/table/order.js";
import { Table } from "../../components/table/table.js";
import { age, moment, word } from "../../words/words.js";

const PATH = "/api/v2/keys/";
const DAY = 86_400_000;

const frame = document.querySelector("[data-frame]");
const part = (name) => frame.querySelector(`[data-${name}]`);
const [making, made, revoking] = ["making", "made", "revoking"].map((name) => document.querySelector(`[data-${name}]`));
const dialogs = new Map([making, made, revoking].map((element) => [element, new Dialog(element)]));
const form = making.querySelector("form");
let next = null;
let keys = [];
let chosen = null; // the key that is about to be revoked
let reads = 0;

// The list.

async function read(path = PATH) {
  const turn = ++reads;
  part("failed").hidden = true;
  part("skeleton").hidden = keys.length > 0 || !part("none").hidden;
  try {
    const { results, next: following } = await get(path);
    if (turn !== reads) return; // asked for before a key was made or revoked
    keys = path === PATH ? results : [...keys, ...results];
    table.fill(keys);
    next = following;
    part("none").hidden = keys.length > 0;
    part("table").hidden = keys.length === 0;
    part("older").hidden = !next;
    address.restore();
  } catch (error) {
    if (turn !== reads) return;
    part("failed").hidden = false;
    part("reason").textContent = reason(error);
  }
  part("skeleton").hidden = true;
  frame.setAttribute("aria-busy", "false");
}

const COLUMNS = {
  name: {
    value: ({ name }) => name,
    build: (cell, key) => {
      cell.append(make("b", { textContent: key.name }), make("code", { textContent: key.prefix }));
      return () => {};
    },
  },
  may: { build: (cell) => (key) => setText(cell, key.scopes.map(scopeWord).join(", ")) },
  ends: {
    value: ({ expires_at: at }) => (at ? Date.parse(at) : null),
    build: (cell) => ({ expires_at: at }) => showTime(cell, at, at ? moment(at) : word("neverEnds")),
  },
  used: {
    value: ({ last_used_at: at }) => (at ? Date.parse(at) : null),
    build: (cell) => ({ last_used_at: at }, now) => showTime(cell, at, at ? word("ago", { age: age(now - Date.parse(at)) }) : word("neverUsed")),
  },
  act: {
    build: (cell, key) => {
      const act = button(word("revoke"), () => ask(key));
      act.setAttribute("aria-label", word("revokeNamed", { name: key.name }));
      const said = make("span");
      cell.append(act, said);
      return (now) => {
        const state = stateOf(now);
        act.hidden = state !== "live";
        setText(said, state === "live" ? "" : word(`key${state[0].toUpperCase()}${state.slice(1)}`));
      };
    },
  },
};

function showTime(cell, at, text) {
  setText(cell, text);
  cell.title = at ? moment(at) : "";
}

function scopeWord(scope) {
  return word(`scope${scope[0].toUpperCase()}${scope.slice(1)}`);
}

function stateOf({ revoked_at: revoked, expires_at: expires }) {
  if (revoked) return "revoked";
  return expires && Date.parse(expires) <= Date.now() ? "expired" : "live";
}

// A new one, told once.

function refuse(dialog, text) {
  const refusal = dialog.querySelector("[data-refusal]");
  refusal.textContent = text;
  refusal.hidden = !text;
}

async function submit() {
  const scopes = [...form.querySelectorAll("[name=scopes]:checked")].map(({ value }) => value);
  const name = form.elements.name.value.trim();
  if (!name) {
    form.elements.name.focus();
    return refuse(making, word("nameNeeded"));
  }
  if (!scopes.length) return refuse(making, word("scopeNeeded"));
  const days = Number(form.elements.days.value);
  const send = form.querySelector("[data-submit]");
  send.disabled = true; // a key that is asked for twice is two
  try {
    tell(await post(PATH, { name, scopes, expires_at: days ? new Date(Date.now() + days * DAY).toISOString() : null }));
  } catch (error) {
    refuse(making, word("actFailed", { reason: reason(error) }));
  }
  send.disabled = false;
}

function tell({ key }) {
  making.close();
  made.querySelector("[data-key]").textContent = key;
  made.querySelector("[data-curl]").textContent = `curl -H "Authorization: Bearer ${key}" ${location.origin}/api/v2/symbols/`;
  made.querySelector("[data-copied]").textContent = "";
  dialogs.get(made).open(made.querySelector("[data-copy]"));
  read();
}

async function copy() {
  const said = made.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText(made.querySelector("[data-key]").textContent);
    said.textContent = word("copied");
  } catch {
    said.textContent = word("copyFailed");
    getSelection().selectAllChildren(made.querySelector("[data-key]"));
  }
}

function forget() {
  for (const name of ["key", "curl"]) made.querySelector(`[data-${name}]`).textContent = "";
}

// One that goes.

function ask(key) {
  chosen = key;
  refuse(revoking, "");
  revoking.querySelector("label").textContent = word("typeName", { name: key.name });
  revoking.querySelector("input").value = "";
  revoking.querySelector("[data-submit]").disabled = true;
  dialogs.get(revoking).open();
}

async function revoke() {
  const [key, send] = [chosen, revoking.querySelector("[data-submit]")];
  send.disabled = true;
  try {
    await remove(`${PATH}${key.id}/`);
    if (chosen === key) revoking.close();
    read();
  } catch (error) {
    if (chosen !== key) return; // another is asked about by now
    refuse(revoking, word("actFailed", { reason: reason(error) }));
    send.disabled = false;
  }
}

// On a phone the list of the account's parts is longer than the screen is wide.
document.querySelector(".account-nav [aria-current]").scrollIntoView({ block: "nearest", inline: "center" });

const address = new Address({ sort: null });
const table = new Table(part("table"), { ...keptOrder(address, COLUMNS), columns: COLUMNS, keyOf: ({ id }) => id, dress: (row, key) => (row.dataset.state = stateOf(key)) });
setInterval(() => table.tick(), 30_000);

document.querySelector("[data-new]").addEventListener("click", () => {
  form.reset();
  refuse(making, "");
  dialogs.get(making).open(form.elements.name);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
made.querySelector("[data-copy]").addEventListener("click", copy);
made.addEventListener("close", forget);
revoking.querySelector("input").addEventListener("input", ({ target }) => {
  revoking.querySelector("[data-submit]").disabled = target.value.trim() !== chosen.name;
});
revoking.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!revoking.querySelector("[data-submit]").disabled) revoke();
});
part("again").addEventListener("click", () => read());
part("older").addEventListener("click", () => read(next));
read();
