// What somebody wants to hear: symbols of a type, by the options that they were asked with.

import { address } from "./names.js";
import { MAX_SYMBOLS } from "./protocol.js";

export class Wants {
  constructor() {
    this.all = new Map(); // by type and options
  }

  get size() {
    return this.all.size;
  }

  add(type, symbols, options) {
    const key = JSON.stringify([type, options]);
    const want = this.all.get(key) ?? { type, options, symbols: new Set() };
    symbols.forEach((symbol) => want.symbols.add(symbol));
    this.all.set(key, want);
    return want;
  }

  of(type) {
    return [...this.all.values()].filter((want) => want.type === type);
  }

  remove(type, symbols, indicators) {
    for (const [key, { symbols: held, options, type: of }] of this.all) {
      const isMeant = !indicators || options.indicators?.every((each) => indicators.includes(each));
      if (of !== type || !isMeant || !symbols.map((symbol) => held.delete(symbol)).includes(true)) continue;
      if (!held.size) this.all.delete(key); // without symbols it would be of all
    }
  }

  /** Streams bear other names now, of a type or of all. */
  rename(stream, to) {
    const [{ type, symbol }, { symbol: now }] = [address(stream), address(to)];
    for (const { symbols: held } of [...this.of(type), ...this.of("all")]) if (held.delete(symbol)) held.add(now);
  }

  forget(type) {
    for (const [key, want] of this.all) if (want.type === type) this.all.delete(key);
  }

  /** What of a wish is wanted still; null: nothing. */
  left({ type, symbols, options }) {
    const same = this.of(type).filter((want) => !options || JSON.stringify(want.options) === JSON.stringify(options));
    const left = symbols.filter((symbol) => same.some((want) => want.symbols.has(symbol)));
    return same.length && (left.length || !symbols.length) ? left : null;
  }
}

/** What is asked for at once: symbols of a type, as many as the server takes. */
export function wishes({ type, options }, symbols) {
  return parts([...symbols]).map((some) => ({ type, options, symbols: some, since: {}, times: 0 }));
}

export function parts(symbols) {
  const count = Math.max(1, Math.ceil(symbols.length / MAX_SYMBOLS));
  return Array.from({ length: count }, (_, number) => symbols.slice(number * MAX_SYMBOLS, (number + 1) * MAX_SYMBOLS));
}
