// A program that hears a price, another one after a break, and then ends.

const [root, url, token] = process.argv.slice(2);
const { Stream } = await import(`${root}/static/stream/stream.js`);
const say = (what) => console.log(JSON.stringify(what));
const stream = new Stream({ url, token });
let isAwaited = true;
let count = 0;
stream.on("state", ({ state }) => {
  if (state !== "reconnecting" || isAwaited) return;
  isAwaited = true;
  say({ state });
});
stream.on("price_update", (price) => {
  if (!isAwaited) return;
  isAwaited = false;
  say(price);
  if (++count === 2) stream.end();
});
stream.subscribe("prices", ["AAPL"]).open();
