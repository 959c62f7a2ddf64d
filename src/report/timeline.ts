import type { Alert } from "../detect/alert.ts";
import { htmlSafe } from "./escape.ts";
import { countText, localDay, localTime, numberText } from "./format.ts";

export type Hour = { readonly time: number; readonly lines: number };

/** Drawing units; the page stretches the picture to its width, and sets the labels beside it at their own size. */
const WIDTH = 1000;
const HEIGHT = 106;
/** More bars than this cannot be told apart on a screen. */
const BARS = 500;
/** Days named below the bars. */
const TICKS = 8;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Lines per hour as bars, a numbered mark where each alert opened, days below. from, to: milliseconds. Labels are no
 * part of the drawing, so that they stay readable where it gets narrow.
 */
export function timelineChart(
  hours: readonly Hour[],
  alerts: readonly Alert[],
  from: number,
  to: number,
  timeZone: string,
): string {
  const span = Math.max(1, to - from);
  const share = (time: number): number => Math.min(Math.max(time - from, 0), span) / span;
  const bars = binned(hours, from, span);
  const most = bars.reduce((max, n) => Math.max(max, n), 0);
  const total = hours.reduce((sum, hour) => sum + hour.lines, 0);
  const label = `${countText(total, "line")} from ${localTime(from, timeZone)} to ${localTime(to, timeZone)}, ${countText(alerts.length, "alert")}`;
  return [
    `<div class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${htmlSafe(label)}">`,
    `<path class="bars" d="${barPath(bars, most, (barMs(span) / span) * WIDTH)}"/>`,
    `<path class="axis" d="M0 ${HEIGHT}H${WIDTH}"/>`,
    ...alerts.map((alert, i) => mark(share(alert.openedAt), i + 1, alert)),
    "</svg>",
    ...alerts.map((alert, i) => pin(share(alert.openedAt), i + 1, alert)),
    ...days(from, to, timeZone).map(
      ([time, day], i) =>
        `<span class="day${i % 2 === 1 ? " odd" : ""}" style="left:${percent(share(time))}">${htmlSafe(day)}</span>`,
    ),
    `</div><p class="note">Lines in the log; the tallest bar is ${numberText(most)}.</p>`,
  ].join("\n");
}

const round = (n: number): number => Math.round(n * 10) / 10;
const percent = (share: number): string => `${round(100 * share)}%`;

/** Milliseconds of one bar: whole hours, so that no hour falls between two bars. */
function barMs(span: number): number {
  return Math.ceil(Math.ceil(span / HOUR_MS) / BARS) * HOUR_MS;
}

/** Lines of all hours of the span, in at most BARS bars. */
function binned(hours: readonly Hour[], from: number, span: number): number[] {
  const bars = new Array<number>(Math.ceil(span / barMs(span))).fill(0);
  for (const { time, lines } of hours) {
    const i = Math.floor((time - from) / barMs(span));
    if (i >= 0 && i < bars.length) bars[i]! += lines;
  }
  return bars;
}

/** step: width of a bar with its gap, in drawing units. */
function barPath(bars: readonly number[], most: number, step: number): string {
  let path = "";
  for (let i = 0; i < bars.length; i++) {
    if (bars[i] === 0) continue;
    const height = round((bars[i]! / most) * HEIGHT);
    path += `M${round(i * step)} ${HEIGHT}v-${height}h${round(step * 0.8)}v${height}z`;
  }
  return path;
}

function mark(share: number, number: number, alert: Alert): string {
  return (
    `<g class="mark ${alert.severity}"><title>${number}: ${htmlSafe(alert.title)}</title>` +
    `<path d="M${round(share * WIDTH)} 0V${HEIGHT}"/></g>`
  );
}

/** The mark's number above it. Two that are close overlap; the later one is on top. */
function pin(share: number, number: number, alert: Alert): string {
  return `<span class="pin ${alert.severity}" style="left:${percent(share)}">${number}</span>`;
}

/** At most TICKS days of the span with the time of their noon, from the first on. */
function days(from: number, to: number, timeZone: string): [number, string][] {
  const step = Math.max(1, Math.ceil((to - from) / DAY_MS / TICKS)) * DAY_MS;
  const found: [number, string][] = [];
  for (let time = from + DAY_MS / 2; time < to; time += step)
    found.push([time, localDay(time, timeZone).slice(5)]);
  return found;
}
