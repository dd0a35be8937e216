// How messages reach whoever listens: at once, or once per animation frame, the newest of what replaces itself.

import { streamOf } from "./names.js";
import { isHidden } from "./surroundings.js";

export class Handover {
  /** isReplaced: whether a later message of its stream says all that this one says. */
  constructor(stream, { perFrame, isReplaced }) {
    Object.assign(this, { stream, perFrame, isReplaced });
    this.waiting = new Map();
    this.unnumbered = 0; // what was said to some of those who are connected
    this.skipped = new Set(); // streams of which more came than was kept while nobody looked
  }

  get size() {
    return this.waiting.size;
  }

  /** While nobody looks no frame comes: then one message a stream is kept, and what was replaced is told as lost. */
  add(message) {
    if (!this.perFrame) {
      this.stream.emit(message.type, message);
      return;
    }
    const stream = streamOf(message);
    const isAlone = this.isReplaced(message) || isHidden();
    const key = isAlone ? stream : `${stream}#${message.seq ?? `said ${++this.unnumbered}`}`;
    const before = this.waiting.get(key);
    if (before && !this.isReplaced(before)) this.skipped.add(stream);
    this.waiting.delete(key);
    this.waiting.set(key, message);
    this.frame ??= requestAnimationFrame(() => this.deliver());
  }

  /** What waits of these streams is not handed over. */
  drop(streams) {
    for (const [key, message] of this.waiting) if (streams.includes(streamOf(message))) this.waiting.delete(key);
  }

  deliver() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
    const messages = [...this.waiting.values()];
    const skipped = [...this.skipped];
    this.waiting.clear();
    this.skipped.clear();
    skipped.forEach((stream) => this.stream.emit("lost", { stream, reason: "hidden" }));
    messages.forEach((message) => this.stream.emit(message.type, message));
  }
}
