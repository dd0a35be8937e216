// The page of the connections, for staff: their figures as they move, who is connected, and what can be said and done.

import { Address } from "../../components/address.js";
import { Broadcast } from "./broadcast.js";
import { ClientRows } from "./clientrows.js";
import { make } from "../../components/element.js";
import { showConnection } from "../../components/connection.js";
import { setText } from "../../components/frame.js";
import { page, read } from "../../components/page.js";
import { loginAddress } from "../../components/rights.js";
import { States } from "../../components/states.js";
import { SocketFigures } from "./socketfigures.js";
import { Stream } from "../../stream/stream.js";
import { count, word } from "../../words/words.js";

const EVERY = 2000;
const PAGE = 100;
const MOST = 1000;

const board = document.querySelector("[data-connections]");
const part = (name) => board.querySelector(`[data-${name}]`);
const stream = new Stream();
const figures = new SocketFigures(board);
const address = new Address({ show: "all", sort: null });
const rows = new ClientRows(part("clients"), { address, mine: () => stream.clientId, said: say, again: () => look() });
const broadcast = new Broadcast(document.querySelector("[data-broadcast]"), { types: page.types, said: say });
const states = new States(part("frame"), part("clients"));
let limit = PAGE;
let isSlow = address.get("show", ["all", "slow"]) === "slow";
let isOver = false;
let isShown = false; // the rows are of what is asked for
let [begun, came, underWay] = [0, 0, 0]; // looks

/** Both reads; what comes of an older look than one that came, or of others than are asked for now, is left. */
async function look() {
  const mine = ++begun;
  underWay += 1;
  try {
    const [status, clients] = await Promise.all([read("/ws/status"), read(`/ws/clients?limit=${limit}&slow=${isSlow}`)]);
    if (mine <= came || isOver) return;
    came = mine;
    figures.show(status.body);
    show(clients);
  } catch (error) {
    if (mine > came) fail(error);
  } finally {
    underWay -= 1;
  }
}

/** In its turn: a server that answers late is not asked for more meanwhile. */
function lookInTurn() {
  if (!document.hidden && !underWay) look();
}

function show({ body: clients, headers }) {
  const missing = Number(headers.get("X-Missing-Processes"));
  const all = Number(headers.get("X-Total-Count"));
  part("missing").hidden = !missing;
  setText(part("missing"), missing ? word("missing", { n: count(missing) }) : "");
  part("more").hidden = all <= clients.length || limit >= MOST;
  rows.show(clients);
  states.renewed();
  if (!isShown) address.restore();
  isShown = true;
  if (clients.length) states.filled();
  else if (isSlow) states.empty(word("noneSlow"), word("noneSlowText"), [word("showAll"), () => choose(false)]);
  else states.empty(word("noneTitle"), word("noneText"));
}

function fail(error) {
  if (error.status === 401 || error.status === 403) {
    leaveOff();
    return;
  }
  if (isShown) states.late(error, look);
  else states.failed(word("listFailed"), error, begin);
}

/** What was done, or why not; a refusal of somebody who may no longer ends the page. */
function say(text, { isWrong = false, error = null } = {}) {
  if (error?.status === 401 || error?.status === 403) {
    leaveOff();
    return;
  }
  const line = part("said");
  line.classList.toggle("wrong", isWrong);
  line.textContent = text;
  line.hidden = false;
}

/** With the rights goes what they showed. */
function leaveOff() {
  if (isOver) return;
  isOver = true;
  clearInterval(turning);
  broadcast.close();
  const again = make("a", { className: "button primary", href: loginAddress(), textContent: word("logInAgain") });
  board.replaceWith(make("div", { className: "empty entry", attributes: { role: "alert" } }, make("h1", { textContent: word("rightsChanged") }), make("p", { textContent: word("loggedOutText") }), make("p", {}, again)));
}

/** Others are asked for: none of the last stand under their name. */
function begin() {
  came = begun;
  isShown = false;
  rows.show([]);
  states.loading();
  look();
}

function choose(slow) {
  isSlow = slow;
  limit = PAGE;
  address.set({ show: slow ? "slow" : "all" });
  press();
  begin();
}

function press() {
  for (const each of board.querySelectorAll("[data-slow]")) each.setAttribute("aria-pressed", String(each.dataset.slow === String(isSlow)));
}

for (const each of board.querySelectorAll("[data-slow]")) each.addEventListener("click", () => choose(each.dataset.slow === "true"));
part("more").addEventListener("click", () => {
  limit = Math.min(MOST, limit * 3);
  look();
});
part("say").addEventListener("click", () => broadcast.open());
document.addEventListener("visibilitychange", () => document.hidden || isOver || look());
document.addEventListener("loggedout", (event) => {
  event.preventDefault();
  leaveOff();
});
const turning = setInterval(lookInTurn, EVERY);
press();
showConnection(stream);
stream.subscribe("system").open();
look();
