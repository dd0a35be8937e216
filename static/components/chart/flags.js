// Splits, dividends, alerts and signals as small flags at the foot of the price, each under the bar of its day.

import { count, word } from "../../words/words.js";
import { colour } from "./colours.js";

const [WIDTH, HEIGHT, GAP] = [15, 15, 3];
const HUES = { split: "accent", spin_off: "accent", rename: "n7", alert: "delayed", capital_gain: "average", dividend: "average", signal_up: "up", signal_down: "down" };
const SIGNS = { alert: "!", signal_up: "▲", signal_down: "▼" };
const FIRST = Object.keys(HUES); // where there is no room for all: what is rare and changes the price
/** Signals of both directions alike: else one of them alone would be seen where they are many. */
const rank = ({ kind }) => FIRST.indexOf(kind.replace("_down", "_up"));

export class Flags {
  constructor(chart) {
    Object.assign(this, { chart, actions: [], alerts: [], signals: [], flags: [], isShown: true });
  }

  attached({ requestUpdate }) {
    this.redraw = requestUpdate;
  }

  show(actions) {
    this.actions = actions.map(({ kind, ex_date: date, value }) => ({ kind, date, text: sentence(kind, value) }));
    this.place();
  }

  /** Alerts that rang: [{date, text}]. */
  mark(alerts) {
    this.alerts = alerts.map((alert) => ({ kind: "alert", ...alert }));
    this.place();
  }

  /** Signals: [{direction, date, text}]. */
  sign(signals) {
    this.signals = signals.map(({ direction, ...signal }) => ({ kind: `signal_${direction}`, ...signal }));
    this.place();
  }

  /** Each belongs to the bar that its day lies in, or to the next; what is to come or was before all bars has none. */
  place() {
    const { bars } = this.chart;
    const placeOf = (day) => (day < bars[0]?.session_date ? -1 : bars.findIndex(({ until, session_date: date }) => (until ?? date) >= day));
    this.flags = [...this.actions, ...this.alerts, ...this.signals].map((flag) => ({ ...flag, at: placeOf(flag.date) })).filter(({ at }) => at >= 0);
    this.flags.sort((one, other) => rank(one) - rank(other) || one.at - other.at);
    this.redraw?.();
  }

  toggle(isShown) {
    this.isShown = isShown;
    this.redraw?.();
  }

  /** What happened on a bar, in words. */
  of(at) {
    return this.flags.filter((flag) => flag.at === at).map(({ text }) => text);
  }

  paneViews() {
    return this.isShown ? [this] : [];
  }

  zOrder() {
    return "top";
  }

  renderer() {
    return { draw: (target) => target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, mediaSize)) };
  }

  draw(context, { width, height }) {
    const scale = this.chart.chart.timeScale();
    const taken = [];
    for (const { kind, at } of this.flags) {
      const x = scale.logicalToCoordinate(at);
      if (x == null || x < 0 || x > width || taken.some((other) => Math.abs(other - x) < WIDTH + GAP)) continue;
      taken.push(x);
      this.drawOne(context, kind, x, height);
    }
  }

  drawOne(context, kind, x, height) {
    const top = height - HEIGHT - GAP;
    context.fillStyle = colour("n1");
    context.strokeStyle = colour(HUES[kind]);
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(x - WIDTH / 2, top, WIDTH, HEIGHT, 4);
    context.fill();
    context.stroke();
    context.fillStyle = context.strokeStyle;
    context.font = `600 10px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(SIGNS[kind] ?? word(named(kind, "Flag")), x, top + HEIGHT / 2 + 0.5);
  }
}

/** A split of more shares than before, or of fewer; cash per share; what else there is by its name. */
function sentence(kind, value) {
  if (kind !== "split") return word(named(kind, "Of"), { value: count(value, 6) });
  const ratio = value >= 1 ? [count(value, 4), 1] : [1, count(1 / value, 4)];
  return word("splitOf", { new: ratio[0], old: ratio[1] });
}

/** capital_gain, Of: capitalGainOf. */
function named(kind, suffix) {
  return kind.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()) + suffix;
}
