// The connections in figures: numbers, their trend since the page opened, and the web processes.

import { make } from "../../components/element.js";
import { setText } from "../../components/frame.js";
import { LinePlot } from "../../components/lineplot.js";
import { clock, count, moment, word } from "../../words/words.js";

const KEPT = 300; // looks, of two seconds each

export class SocketFigures {
  constructor(board) {
    this.board = board;
    const say = (value) => count(value, 1);
    this.trends = Object.fromEntries(["connected", "rate"].map((name) => {
      const box = this.part("trend", name);
      return [name, { points: [], plot: new LinePlot(box, { label: box.ariaLabel, say }) }];
    }));
  }

  show(status) {
    this.figure("connected", count(status.active_connections), word("processes", { n: count(status.processes) }));
    this.figure("rate", count(status.messages_per_second, 1), word("sent", { n: count(status.total_messages_sent) }));
    this.figure("slow", count(status.slow_clients), word("slowClosed", { n: count(status.slow_disconnects) }));
    setText(this.part("figure", "gaps"), count(status.gaps_told));
    this.trend("connected", status.active_connections);
    this.trend("rate", status.messages_per_second);
    setText(this.board.querySelector("[data-count]"), count(status.active_connections));
    setText(this.board.querySelector("[data-slow-count]"), count(status.slow_clients));
    this.types(status);
    this.processes(status.process_list ?? []);
  }

  part(kind, name) {
    return this.board.querySelector(`[data-${kind}="${name}"]`);
  }

  figure(name, text, note) {
    setText(this.part("figure", name), text);
    setText(this.part("note", name), note);
  }

  trend(name, value) {
    const { points, plot } = this.trends[name];
    points.push({ at: Date.now(), value });
    if (points.length > KEPT) points.shift();
    plot.show(points);
  }

  types({ subscription_stats: stats, subscribed_symbols: symbols }) {
    const told = Object.entries(stats).filter(([, clients]) => clients).map(([type, clients]) => `${type} ${count(clients)}`);
    const said = [...told, word("symbols", { n: count(symbols) })].join(" · ");
    setText(this.board.querySelector("[data-types]"), `${word("byType")} ${said}`);
  }

  processes(told) {
    const list = this.board.querySelector("[data-processes]");
    const held = new Map([...list.children].map((item) => [item.dataset.process, item]));
    told.forEach((process, index) => {
      const item = held.get(process.process) ?? blank(process);
      held.delete(process.process);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
      const facts = [word("processConnected", { n: count(process.active_connections) }), word("processRate", { n: count(process.messages_per_second, 1) })];
      if (process.slow_clients) facts.push(word("processSlow", { n: count(process.slow_clients) }));
      setText(item.lastElementChild, [...facts, word("processSince", { time: clock(process.began_at).slice(0, 5) })].join(" · "));
    });
    held.forEach((item) => item.remove());
  }
}

function blank({ process, pid, began_at: began }) {
  const state = make("span", { className: "state" }, make("i", { className: "shape", ariaHidden: "true" }), make("span", { textContent: word("processLive") }));
  const host = make("span", { className: "host", textContent: String(pid), title: process });
  return make("li", { dataset: { process, state: "running" } }, state, host, make("span", { className: "facts", title: moment(began) }));
}
