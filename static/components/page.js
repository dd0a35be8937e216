// What the server put into this page, the same JSON that the public interface gives; and how that is asked.

import { word } from "../words/words.js";

export const page = JSON.parse(document.getElementById("page-data")?.textContent ?? "null");

export const WITHIN = 20_000; // ms that an answer is waited for
// What a refusal does not say itself in the reader's language: its reasons are English.
const SAID = { 429: "tooOften", 500: "broken", 502: "notReady", 503: "notReady", 504: "notReady" };

/** A read of the public interface, which `signal` breaks off; an Error with `requestId` where it does not answer well. */
export async function get(path, options) {
  return (await read(path, options)).body;
}

/** As `get`, with the answer's headers. */
export function read(path, { signal } = {}) {
  return ask(path, { headers: { Accept: "application/json" }, signal });
}

/** A page of ours, as the server makes it now. */
export async function readPage(path) {
  const { body } = await ask(path, { headers: { Accept: "text/html" } }, (answer) => answer.text());
  return new DOMParser().parseFromString(body, "text/html");
}

/** An act through the public interface. The Error of a refusal has `errors`, messages by field, too. */
export async function post(path, body = {}, headers = {}) {
  const said = { ...own(), "Content-Type": "application/json", ...headers };
  return (await ask(path, { method: "POST", headers: said, body: JSON.stringify(body) })).body;
}

/** An `Idempotency-Key`: what is sent twice with the same one is done once. */
export function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Change a part of what is there; what is left out stays. `options` are fetch's. */
export async function patch(path, body, options = {}) {
  const headers = { ...own(), "Content-Type": "application/json" };
  return (await ask(path, { ...options, method: "PATCH", headers, body: JSON.stringify(body) })).body;
}

export async function put(path) {
  return (await ask(path, { method: "PUT", headers: own() })).body;
}

export async function remove(path) {
  return (await ask(path, { method: "DELETE", headers: own() })).body;
}

/** A read whose answers come in the order they were asked for: null where one that was asked for later has come, or none does. */
export function inOrder(asks) {
  let [begun, came] = [0, 0];
  return async () => {
    const turn = ++begun;
    const found = await asks().catch(() => null);
    if (!found || turn < came) return null;
    came = turn;
    return found;
  };
}

function own() {
  return { Accept: "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "" };
}

/** Whatever becomes of it, it ends: who waits for an answer that never comes would ask for nothing more. */
async function ask(path, { signal, ...options }, taken = (answer) => answer.json()) {
  const limit = AbortSignal.timeout(WITHIN);
  try {
    const answer = await fetch(path, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    return { body: await answered(answer, taken), headers: answer.headers };
  } catch (error) {
    throw error.status || signal?.aborted ? error : failure(error, limit);
  }
}

/** Why nothing came that can be read, in the reader's words and not in the browser's. */
function failure(error, limit) {
  if (limit.aborted) return new Error(word("noAnswer", { n: WITHIN / 1000 }), { cause: error });
  return new Error(word(error instanceof TypeError ? "unreachable" : "broken"), { cause: error });
}

async function answered(answer, taken) {
  if (answer.ok) return answer.status === 204 ? null : taken(answer);
  const problem = await answer.json().catch(() => ({}));
  const [told, said] = [problem.detail ?? answer.statusText, SAID[answer.status]];
  const isWorded = said && (document.documentElement.lang !== "en" || !told);
  const error = new Error(isWorded ? word(said) : told);
  error.isEnglish = !isWorded;
  error.requestId = problem.request_id ?? answer.headers.get("X-Request-ID");
  error.status = answer.status;
  error.errors = problem.errors ?? {};
  throw error;
}
