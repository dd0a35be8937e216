// One socket after another to the same server, each later than the last while none is good for anything. What is said
// on them a Stream knows.

import { CLOSE, HEARTBEAT_SECONDS } from "./protocol.js";
import { follow, isOnline } from "./surroundings.js";

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8000;
const ANSWER_WITHIN = 8000;
const USEFUL_AFTER = 10000; // a connection that was answered and stayed so long: the next pause is the first again

export class Line extends EventTarget {
  constructor(url) {
    super();
    this.url = `${url.replace(/\/+$/, "").replace(/^http/, "ws")}/ws/realtime`;
    this.state = "connecting";
    this.heardAt = null;
    this.attempts = 0;
    this.retryAfter = 0; // as the server said before it closed
    this.asked = new Map(); // what is not answered yet, by id
    this.isEnded = true;
    follow(this);
  }

  on(type, handler) {
    this.addEventListener(type, (event) => handler(event.detail));
    return this;
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  open() {
    this.isEnded = false;
    if (this.socket || this.state === "refused") return;
    clearTimeout(this.waiting);
    this.socket = new WebSocket(this.url);
    this.socket.onmessage = (event) => this.heard(event.data);
    this.socket.onclose = (event) => this.closed(event.code);
    this.answerBy = setTimeout(() => this.drop(), ANSWER_WITHIN);
    this.beating ??= setInterval(() => this.beat(), (HEARTBEAT_SECONDS * 1000) / 2);
  }

  /** No more, until it is opened again: then it goes on where it was. */
  end() {
    this.isEnded = true;
    this.rest();
    if (this.state !== "refused") this.become("connecting");
  }

  /** The page is left, and may come back. */
  rest() {
    clearTimeout(this.waiting);
    clearInterval(this.beating);
    this.beating = null;
    this.leave();
  }

  wake() {
    if (!this.isEnded) this.open();
  }

  /** A line that does not answer is lost now: its farewell would be waited for a minute. */
  drop() {
    if (!this.socket) return;
    this.leave();
    this.closed(null);
  }

  leave() {
    const { socket } = this;
    this.left();
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** Nothing that was meant for this line is for the next. */
  left() {
    clearTimeout(this.answerBy);
    clearTimeout(this.useful);
    this.useful = null;
    this.socket = null;
    this.asked.clear();
  }

  closed(code) {
    this.left();
    if (code >= 4500 && code < 5000) {
      this.become("refused", code);
      if (code === CLOSE.invalid_token) this.emit("ended", { streams: [], reason: "rights_ended" });
      return;
    }
    this.become(isOnline() ? "reconnecting" : "offline", code);
    const least = this.retryAfter;
    this.retryAfter = 0;
    this.waiting = setTimeout(() => this.open(), least + this.pause());
  }

  pause() {
    this.attempts += 1;
    return patience(this.attempts - 1);
  }

  wasUseful() {
    this.useful ??= setTimeout(() => (this.attempts = 0), USEFUL_AFTER);
  }

  heard(text) {
    this.heardAt = Date.now();
    clearTimeout(this.answerBy);
    this.receive(JSON.parse(text));
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** A silent line is asked; one that does not answer is dropped. */
  beat() {
    if (this.state !== "live") return;
    this.send({ action: "ping" });
    clearTimeout(this.answerBy);
    this.answerBy = setTimeout(() => this.drop(), ANSWER_WITHIN);
  }

  become(state, code = null) {
    this.state = state;
    this.emit("state", { state, code });
  }
}

/** Exponential, with full jitter above its floor, so that a thousand pages do not come back at once. */
export function patience(times) {
  return FIRST_PAUSE / 2 + Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** times);
}
