import type { Alert } from "../detect/alert.ts";
import { DAY_MS } from "../feature/clock.ts";
import type { ReportData } from "../report/html.ts";
import type { ReplayResult } from "./replay.ts";

/** The report's plain data of one back-test. figures: the mail figures of its last day. command: see ReportData. */
export function reportData(
  result: ReplayResult,
  alerts: readonly Alert[],
  figures: ReportData["figures"],
  command: string,
): ReportData {
  const { model, lines, ledger } = result;
  return {
    title: "Logvane report",
    from: model.to,
    to: result.last,
    timeZone: result.timeZone,
    alerts: alerts.filter((a) => !a.held),
    held: ledger.held,
    lines,
    perHour: result.perHour.filter((h) => h.time >= model.to - (model.to % 3_600_000)),
    figures,
    command,
    model: [
      {
        label: "learned from",
        value: `${((model.to - model.from) / DAY_MS).toFixed(1)} days, ${model.events} lines`,
      },
      { label: "columns of the window view", value: String(model.window.columns.length) },
      { label: "known message shapes", value: String(model.novelty.known.length) },
      { label: "streams watched for silence", value: String(model.absence.streams.length) },
    ],
  };
}
