// A table of live rows on a page of ours, and what feeds and watches it: `bench.make(rows)`, `bench.frames(seconds, every)`
// in real time, `bench.compressed(rounds, atOnce)` as fast as frames allow.

window.bench = {
  async make(rows) {
    const { Table } = await import("/static/components/table/table.js");
    const { flash } = await import("/static/components/flash.js");
    const words = await import("/static/words/words.js");
    const texts = {
      symbol: (row) => row.symbol,
      price: (row) => words.price(row.price),
      change: (row) => words.signed(row.change),
      percent: (row) => words.percent(row.change),
      open: (row) => words.price(row.open),
      high: (row) => words.price(row.high),
      low: (row) => words.price(row.low),
      volume: (row) => words.compact(row.volume),
      rsi: (row) => words.price(row.rsi, 1),
      age: (row, now) => words.age(now - row.at),
    };
    const names = Object.keys(texts);
    const column = (name) => ({
      value: (row) => row.price,
      build(cell) {
        const text = cell.appendChild(document.createTextNode(""));
        let last = null;
        return (row, now) => {
          const told = texts[name](row, now);
          if (text.data !== told) text.data = told;
          if (name === "price" && last !== null && last !== row.price) flash(cell, row.price > last ? "up" : "down");
          last = row.price;
        };
      },
    });
    const heads = names.map((name, place) => {
      const kind = place ? 'class="number" data-live' : "data-title";
      return `<th scope="col" role="columnheader" data-column="${name}" ${kind}><button type="button">${name}</button></th>`;
    });
    const table = `<table class="table" role="grid" aria-label="rows"><thead><tr role="row">${heads.join("")}</tr></thead><tbody></tbody></table>`;
    document.querySelector("main").innerHTML = table;
    const blank = { change: 0, open: 100, high: 110, low: 90, volume: 1e6, rsi: 50, at: Date.now() };
    this.items = Array.from({ length: rows }, (_, place) => ({ ...blank, symbol: `S${String(place).padStart(3, "0")}`, price: 100 + place }));
    const columns = Object.fromEntries(names.map((name) => [name, column(name)]));
    this.table = new Table(document.querySelector("main table"), { columns, keyOf: (row) => row.symbol, chosen: () => {} });
    this.table.fill(this.items);
  },

  /** Every row changes once. */
  round(turn) {
    this.items.forEach((before, place) => {
      const change = (((turn * 7 + place * 13) % 101) - 50) / 100;
      const price = 100 + place + change;
      this.items[place] = { ...before, price, change, high: 110 + change, low: 90 + change, volume: 1e6 + turn * 1000 + place, rsi: 50 + change * 40, at: Date.now() };
      this.table.put(this.items[place]);
    });
  },

  frames(seconds, every) {
    return new Promise((resolve) => {
      const gaps = [];
      let [last, turn] = [performance.now(), 0];
      const timer = every ? setInterval(() => this.round((turn += 1)), every) : null;
      const until = last + seconds * 1000;
      const look = (now) => {
        gaps.push(now - last);
        last = now;
        if (now < until) {
          requestAnimationFrame(look);
          return;
        }
        clearInterval(timer);
        gaps.sort((one, other) => one - other);
        resolve({ frames: gaps.length / seconds, p95: gaps[Math.floor(gaps.length * 0.95)], rounds: turn });
      };
      requestAnimationFrame(look);
    });
  },

  compressed(rounds, atOnce) {
    return new Promise((resolve) => {
      let turn = 0;
      const look = () => {
        for (let each = 0; each < atOnce && turn < rounds; each += 1) this.round((turn += 1));
        if (turn < rounds) requestAnimationFrame(look);
        else setTimeout(resolve, 1500);
      };
      requestAnimationFrame(look);
    });
  },
};
