import { PNG } from "pngjs";

/** Bars as a PNG with a transparent ground, in colours that stand out on white and on black. */

/** Pixels of the picture for one of the page: sharp on dense screens. */
export const DENSITY = 2;

/** Red, green, blue, 0 to 255. */
export type Color = readonly [number, number, number];
/** Contrast with #ffffff and with #1d2126 is at least 3 (WCAG 2.1, 1.4.11); test/report/daily-charts.test.ts holds it. */
export const COLORS: Readonly<Record<"past" | "day" | "odd", Color>> = {
  past: [125, 141, 158],
  day: [47, 125, 209],
  odd: [207, 102, 24],
};
/** A band behind the bars, and the line below them: part of 255. */
const BAND: Color = [128, 136, 146];
const BAND_ALPHA = 56;
const AXIS_ALPHA = 150;
/** What is drawn paler: weekends. */
const PALE_ALPHA = 140;
const OPAQUE = 255;

/** One bar, of a day before, of the day itself, or of one that is out of the usual. n: null where the value is not known. */
export type Bar = {
  readonly n: number | null;
  readonly color: keyof typeof COLORS;
  readonly pale?: boolean;
};

export type BarChart = {
  readonly bars: readonly Bar[];
  /** Of one bar with its gap, and of the picture, in pixels of the page. */
  readonly pitch: number;
  readonly height: number;
  /** A range of values behind the bars. */
  readonly band?: { readonly low: number; readonly high: number } | undefined;
};

/** Width of the picture in pixels of the page. */
export const chartWidth = (chart: BarChart): number => chart.bars.length * chart.pitch;

/** The same bytes for the same bars. */
export function drawBars(chart: BarChart): Buffer {
  const width = chartWidth(chart) * DENSITY;
  const height = chart.height * DENSITY;
  const png = new PNG({ width, height });
  png.data.fill(0);
  const most = chart.bars.reduce((max, { n }) => Math.max(max, n ?? 0), chart.band?.high ?? 0);
  const floor = height - DENSITY; // above the axis
  const level = (n: number): number => (most === 0 ? 0 : Math.round((n / most) * floor));
  if (chart.band !== undefined) {
    const top = floor - Math.max(level(chart.band.high), DENSITY);
    fill(png, 0, top, width, floor - level(chart.band.low) - top, BAND, BAND_ALPHA);
  }
  const step = chart.pitch * DENSITY;
  const gap = Math.max(DENSITY, Math.round(step / 5));
  chart.bars.forEach(({ n, color, pale }, i) => {
    if (n === null || n <= 0) return;
    const tall = Math.max(level(n), DENSITY);
    fill(png, i * step, floor - tall, step - gap, tall, COLORS[color], pale ? PALE_ALPHA : OPAQUE);
  });
  fill(png, 0, floor, width, DENSITY / 2, BAND, AXIS_ALPHA);
  return PNG.sync.write(png, { deflateLevel: 9, deflateStrategy: 0 });
}

function fill(
  png: PNG,
  left: number,
  top: number,
  width: number,
  height: number,
  color: Color,
  alpha: number,
): void {
  const pixel = Buffer.from([...color, alpha]);
  for (let y = Math.max(0, top); y < top + height; y++) {
    const at = (y * png.width + left) * 4;
    png.data.fill(pixel, at, at + width * 4);
  }
}
