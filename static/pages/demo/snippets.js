// Programs that say the same on the live stream, and what of it a plain read has.

import { KINDS } from "../../stream/protocol.js";

const PLACES = {
  prices: ({ symbols }) => [`/api/v2/technical-analysis/prices/batch?symbols=${listed(symbols)}`],
  bars: ({ symbols, interval }) => symbols.map((symbol) => `/api/v2/symbols/${listed([symbol])}/bars/?interval=${interval ?? "1d"}`),
  indicators: ({ symbols, interval, indicators }) => symbols.map((symbol) => `/api/v2/technical-analysis/indicators/${listed([symbol])}?interval=${interval ?? "1d"}${indicators ? `&indicators=${listed(indicators)}` : ""}`),
  jobs: () => ["/api/tasks/tasks"],
};

/** `actions`: what is said, in its order; the last one subscribes. `needsKey`: whether reading needs a login. */
export const SNIPPETS = {
  python: ({ url, actions, needsKey }) => [
    "# pip install websockets",
    "import json",
    "from websockets.sync.client import connect",
    "",
    `with connect(${inPython(url)}${needsKey ? ', additional_headers={"Authorization": "Bearer KEY"}' : ""}) as socket:`,
    ...actions.map((action) => `    socket.send(json.dumps(${inPython(action)}))`),
    "    for text in socket:",
    "        print(json.loads(text))",
  ].join("\n"),

  javascript: ({ url, actions, needsKey }) => [
    `const socket = new WebSocket(${JSON.stringify(url)});`,
    'socket.addEventListener("open", () => {',
    ...[...(needsKey ? [{ action: "authenticate", token: "KEY" }] : []), ...actions].map((action) => `  socket.send(JSON.stringify(${spaced(action)}));`),
    "});",
    'socket.addEventListener("message", ({ data }) => console.log(JSON.parse(data)));',
    'socket.addEventListener("close", ({ code, reason }) => console.log(code, reason));',
  ].join("\n"),

  curl: ({ origin, actions, needsKey }) => {
    const wish = actions.at(-1);
    const key = needsKey || KINDS[wish.type]?.for_staff ? '-H "Authorization: Bearer KEY" ' : "";
    const hasRead = wish.type in PLACES && !wish.symbols?.includes("*");
    const reads = hasRead ? PLACES[wish.type](wish).map((place) => `curl ${key}'${origin}${place}'`) : [];
    return [`curl -N ${key}'${origin}/api/v2/stream/?${asEvents(wish)}'`, ...(hasRead ? ["# what is known now, without the stream:", ...reads] : [])].join("\n");
  },
};

/** As JSON, with room to read. */
export function spaced(value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`).join(", ")}}`;
}

function inPython(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(inPython).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${inPython(each)}`).join(", ")}}`;
}

/** A subscription in the words of a query. */
function asEvents({ type, symbols, interval, indicators, mode }) {
  const said = { types: type, symbols: symbols && listed(symbols), interval, indicators: indicators && listed(indicators), mode };
  return Object.entries(said).filter(([, value]) => value).map(([name, value]) => `${name}=${value}`).join("&");
}

function listed(names) {
  return names.map((name) => encodeURIComponent(name).replaceAll("'", "%27")).join(",");
}
