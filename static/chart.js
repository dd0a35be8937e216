// The chart: lightweight-charts in the colours of the tokens. Candles and volume, the 20-day average, RSI below.

import {
  CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, LineSeries, LineStyle,
} from "./vendor/lightweight-charts/lightweight-charts.standalone.production.mjs";
import { derived, price } from "./words.js";

const VOLUME_SHARE = 0.16;

/** A token's colour as the browser resolves it now: canvas knows neither var() nor light-dark(). */
function colour(name, alpha = 1) {
  const probe = document.createElement("i");
  probe.style.color = `color-mix(in srgb, var(--${name}) ${alpha * 100}%, transparent)`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  const context = colour.context ?? (colour.context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = resolved;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, opacity] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${(opacity / 255).toFixed(3)})`;
}

export class Chart {
  /** `small` leaves out volume, RSI and moving about. */
  constructor(element, { decimals = 2, small = false } = {}) {
    this.small = small;
    this.edge = "";
    this.chart = createChart(element, {
      autoSize: true,
      localization: { locale: document.documentElement.lang, dateFormat: "yyyy-MM-dd" },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: headroom(element, small), bottom: small ? 0.16 : VOLUME_SHARE + 0.06 } },
      timeScale: { borderVisible: false, fixLeftEdge: true, rightOffset: small ? 1 : 4, minBarSpacing: 0.4,
        // A month that begins at the very edge would be cut in two.
        tickMarkFormatter: (time) => (time < this.edge ? "" : null) },
      crosshair: { mode: CrosshairMode.Normal },
      handleScroll: !small,
      handleScale: !small,
    });
    const priceFormat = { type: "custom", minMove: 10 ** -decimals, formatter: (value) => this.label(value, decimals) };
    this.candles = this.chart.addSeries(CandlestickSeries, { priceFormat });
    if (!small) this.addVolume();
    const quiet = { lineWidth: small ? 1 : 2, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
    this.average = this.chart.addSeries(LineSeries, { ...quiet, priceFormat });
    if (!small) this.addOscillator(quiet);
    this.dress();
    document.addEventListener("preference", () => requestAnimationFrame(() => this.dress()));
  }

  addVolume() {
    this.volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
  }

  addOscillator(quiet) {
    this.oscillator = this.chart.addSeries(LineSeries, {
      ...quiet, lineWidth: 1.5, lastValueVisible: true, priceFormat: { type: "price", precision: 1, minMove: 0.1 },
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 100 } }),
    }, 1);
    this.oscillator.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.08 } });
    this.levels = [70, 30].map((level) => this.oscillator.createPriceLine({ price: level, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: false }));
    const [main, lower] = this.chart.panes();
    main.setStretchFactor(3.6);
    lower.setStretchFactor(1);
  }

  /** A price that was traded is told whole, one between the lines as a person reads it. */
  label(value, decimals) {
    return value === this.bars?.at(-1)?.close ? price(value, decimals) : derived(value, decimals);
  }

  dress() {
    const [up, down] = [colour("up"), colour("down")];
    this.barColours = { up: colour("up", 0.34), down: colour("down", 0.34) };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("n1") }, textColor: colour("n7"), fontSize: 11,
        fontFamily: getComputedStyle(document.body).fontFamily, attributionLogo: true,
        panes: { separatorColor: colour("n4"), separatorHoverColor: colour("n5", 0.4), enableResize: !this.small },
      },
      grid: { vertLines: { visible: false }, horzLines: { color: colour("n4", this.small ? 0.4 : 0.55) } },
      crosshair: Object.fromEntries(["vertLine", "horzLine"].map((line) => [line, { color: colour("n6"), labelBackgroundColor: colour("n8"), width: 1 }])),
    });
    this.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
    this.average.applyOptions({ color: colour("average") });
    this.oscillator?.applyOptions({ color: colour("oscillator") });
    this.levels?.forEach((line) => line.applyOptions({ color: colour("n5") }));
    if (this.bars) this.volume?.setData(this.bars.map((bar) => this.volumeOf(bar)));
  }

  /** Bars, and the two series that go with them, oldest first; `average` and `oscillator` may have nulls. */
  show(bars, average, oscillator) {
    this.bars = bars;
    this.candles.setData(bars.map(candle));
    this.volume?.setData(bars.map((bar) => this.volumeOf(bar)));
    this.average.setData(points(bars, average));
    this.oscillator?.setData(points(bars, oscillator));
  }

  /** The last bar moves, or a new one begins. What is older than the last bar is not for here: false. */
  move(bar) {
    const last = this.bars?.at(-1);
    if (!last || bar.session_date < last.session_date) return false;
    if (bar.session_date === last.session_date) this.bars[this.bars.length - 1] = bar;
    else this.bars.push(bar);
    this.candles.update(candle(bar));
    this.volume?.update(this.volumeOf(bar));
    return true;
  }

  moveIndicators(time, { average, oscillator }) {
    if (this.bars?.at(-1)?.session_date !== time) return;
    if (average != null) this.average.update({ time, value: average });
    if (oscillator != null) this.oscillator?.update({ time, value: oscillator });
  }

  showFrom(date) {
    const { bars } = this;
    if (!bars?.length) return;
    const first = date ? Math.max(0, bars.findIndex((bar) => bar.session_date >= date)) : 0;
    if (this.small) this.edge = bars[Math.min(first + Math.round((bars.length - first) / 25), bars.length - 1)].session_date;
    this.chart.timeScale().setVisibleLogicalRange({ from: first - 0.5, to: bars.length - 1 + (this.small ? 1 : 4) });
  }

  volumeOf(bar) {
    return { time: bar.session_date, value: bar.volume ?? 0, color: this.barColours[bar.close >= bar.open ? "up" : "down"] };
  }
}

/** Room for the legend, which takes more lines where it is narrow. */
function headroom(element, small) {
  if (small) return 0.06;
  return element.clientWidth < 640 ? 0.24 : 0.12;
}

function candle({ session_date: time, open, high, low, close }) {
  return { time, open, high, low, close };
}

function points(bars, values = []) {
  return bars.map((bar, index) => (values[index] == null ? { time: bar.session_date } : { time: bar.session_date, value: values[index] }));
}
