import { type Bar, type BarChart, chartWidth, drawBars } from "./bar-chart.ts";
import type { DailyReport } from "./daily.ts";
import { figuresOf, hourly, trendDays, trendOf } from "./daily-figures.ts";
import { numberText } from "./format.ts";
import { cellText } from "./summary-sections.ts";

/** The pictures of the HTML report. cid: what an image of the page refers to (RFC 2392), without its angle brackets. */
export type ReportChart = {
  readonly cid: string;
  readonly png: Buffer;
  /** Pixels of the page; the picture has twice as many. */
  readonly width: number;
  readonly height: number;
  /** Tells the figures. */
  readonly alt: string;
};

/** Of one bar, and of the picture, in pixels of the page. */
const TREND = { pitch: 4, height: 28 };
const HOURS = { pitch: 24, height: 44 };
const HOST = "report.logvane";

/** All pictures that the HTML of a report refers to. */
export function reportCharts(report: DailyReport): ReportChart[] {
  return [...trendCharts(report), ...hourCharts(report)];
}

export const trendCid = (name: string): string => `trend-${name.replaceAll("_", "-")}@${HOST}`;
export const hoursCid = (key: string): string => `hours-${key}@${HOST}`;

function trendCharts(report: DailyReport): ReportChart[] {
  const days = trendDays(report);
  return figuresOf(report).flatMap(({ name, label, n, mark }) => {
    const trend = trendOf(report, name);
    if (trend === undefined) return [];
    const bars = trend.map((value, i): Bar => {
      if (i === trend.length - 1) return { n: value, color: mark === undefined ? "day" : "odd" };
      const weekday = new Date(`${days[i]}T12:00:00Z`).getUTCDay();
      return { n: value, color: "past", pale: weekday === 0 || weekday === 6 };
    });
    const known = trend.slice(0, -1).filter((value) => value !== null);
    const show = (value: number): string => cellText(name, value);
    const alt = `${label}: ${show(n)}, on ${known.length} of the ${trend.length - 1} days before ${show(Math.min(...known))} to ${show(Math.max(...known))}`;
    return [chart(trendCid(name), { bars, ...TREND, band: report.usual[name] }, alt)];
  });
}

function hourCharts(report: DailyReport): ReportChart[] {
  return hourly(report.summary).map(({ key, label, hours }) => {
    const alt = `${label} by hour from 0 h on: ${hours
      .map(numberText)
      .join(", ")
      .replace(/(\d),(\d)/g, "$1$2")}`;
    return chart(hoursCid(key), { bars: hours.map((n): Bar => ({ n, color: "day" })), ...HOURS }, alt);
  });
}

const chart = (cid: string, drawn: BarChart, alt: string): ReportChart => ({
  cid,
  png: drawBars(drawn),
  width: chartWidth(drawn),
  height: drawn.height,
  alt,
});
