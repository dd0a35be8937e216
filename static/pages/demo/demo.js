// The page to try the live stream: one plain socket, what is said on it both ways, and programs that say the same.

import { copying } from "../../components/copying.js";
import { button, make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { FrameList } from "./framelist.js";
import { get } from "../../components/page.js";
import { SNIPPETS, spaced } from "./snippets.js";
import { reason } from "../../components/states.js";
import { SubscriptionForm } from "./subscriptionform.js";
import { Wire } from "../../stream/wire.js";
import { word } from "../../words/words.js";

const FIRST_FINAL = 4500; // close codes from here on: do not come back by yourself
const STATUS = { connecting: "connecting", connected: "live", closed: "offline" };
const { is_open: isOpen, closes } = JSON.parse(document.getElementById("demo-data").textContent);
const board = document.querySelector("[data-demo]");
const part = (name) => board.querySelector(`[data-${name}]`);
const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/realtime`;
const wire = new Wire(url);
const frames = new FrameList(part("frames"));
let answers = new Set(["error"]); // messages that may carry the id of what they answer
let refusals = new Map(); // what each code of an error means
let form = null;
let language = "python";

// The connection.

function showState(state) {
  part("line").dataset.status = STATUS[state];
  setText(part("line-word"), word(`line${state[0].toUpperCase()}${state.slice(1)}`));
  setText(part("connect"), word(state === "closed" ? "connect" : "disconnect"));
  if (state === "connecting") setText(part("why"), "");
}

function showClosed({ code, reason, isAsked }) {
  const known = closes[code] ?? (code === 1012 || code === 1001 ? word("closeAway") : code === 1006 ? word("closeLost") : word("closeOther"));
  const next = code in closes ? word(code >= FIRST_FINAL ? "stayAway" : "comeBack") : "";
  const said = reason && !(code in closes) ? ` (${reason})` : "";
  setText(part("why"), isAsked ? word("closeAsked") : `${code}: ${known}${said} ${next}`.trim());
}

/** What answers: a greeting says who this is, an answer is shown beside what was sent. */
function hear({ isSent, text }) {
  if (isSent) return;
  const message = JSON.parse(text);
  if (message.type === "connected") setText(part("why"), word("client", { id: message.client_id }));
  if (answers.has(message.type)) showAnswer(message, text);
}

function showAnswer(message, text) {
  const isError = message.type === "error";
  part("answer").classList.toggle("is-wrong", isError);
  setText(part("answer-name"), isError ? `error · ${message.code}` : message.type);
  setText(part("answer-text"), isError ? message.message : word("answered"));
  const meaning = isError ? refusals.get(message.code) : null;
  setText(part("answer-meaning"), meaning ?? "");
  setText(part("answer-raw"), text.length > 2000 ? `${text.slice(0, 2000)} …` : text);
}

// What is said.

function say(text) {
  part("answer").classList.remove("is-wrong");
  setText(part("answer-name"), "");
  setText(part("answer-text"), word("waitsForAnswer"));
  setText(part("answer-meaning"), "");
  setText(part("answer-raw"), "");
  wire.send(text);
}

function sayWritten(event) {
  event?.preventDefault();
  say(part("text").value);
}

// What is built.

async function build() {
  part("failed").hidden = true;
  try {
    const { $defs: schema } = await get("/api/v2/realtime/schema");
    const answering = Object.entries(schema.messages).filter(([, { properties }]) => "id" in properties && properties.id.type.includes?.("string"));
    answers = new Set(answering.map(([name]) => name));
    refusals = new Map(schema.error_codes.oneOf.map(({ const: code, description }) => [code, description]));
    form = new SubscriptionForm(part("fields"), { actions: schema.actions, changed: () => showBuilt() });
    part("fields").setAttribute("aria-busy", "false");
    showBuilt();
  } catch (error) {
    part("fields").replaceChildren();
    part("fields").setAttribute("aria-busy", "false");
    part("failed").hidden = false;
    // The reason is English in a refusal, and in what could not be built.
    const isEnglish = error.isEnglish || error instanceof TypeError;
    const why = isEnglish && document.documentElement.lang !== "en" ? word("broken") : error.message;
    part("failed").replaceChildren(make("p", { textContent: word("schemaFailed", { reason: reason({ ...error, message: why }) }) }), button(word("retry"), build));
  }
}

function showBuilt() {
  const actions = form?.actions();
  part("send-built").disabled = !actions;
  if (!actions) return;
  setText(part("built"), actions.map(spaced).join("\n"));
  const code = SNIPPETS[language]({ url, origin: location.origin, actions, needsKey: !isOpen });
  setText(part("code"), code);
  part("code-copy").hidden = false;
  part("code-note").hidden = language !== "curl";
}

function choose(chosen) {
  language = chosen.dataset.language;
  for (const each of board.querySelectorAll("[data-language]")) each.setAttribute("aria-pressed", String(each === chosen));
  if (form) showBuilt();
}

wire.on("state", showState).on("closed", showClosed).on("frame", (frame) => frames.add(frame)).on("frame", hear);
part("connect").addEventListener("click", () => (wire.state === "closed" ? wire.open() : wire.close()));
for (const example of board.querySelectorAll("[data-example]")) {
  example.addEventListener("click", () => {
    part("text").value = example.dataset.example;
    say(example.dataset.example);
  });
}
part("free").addEventListener("submit", sayWritten);
part("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sayWritten(event);
});
part("fields").addEventListener("submit", (event) => event.preventDefault());
part("send-built").addEventListener("click", () => form.actions()?.forEach((action) => say(spaced(action))));
for (const each of board.querySelectorAll("[data-language]")) each.addEventListener("click", () => choose(each));
part("code-copy").append(copying(() => part("code").textContent));
frames.say();
build();
wire.open();
