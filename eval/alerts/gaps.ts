import type { Alert } from "../../src/detect/alert.ts";
import { nextCommand } from "../../src/report/format.ts";

/** What of an explanation is missing: an operator must find in each alert what differs, from what, who or what shows it, and what to type. */

/** Words of our own workshop. Those of the log stand in quotes and are the operator's. */
const JARGON =
  /\b(?:template|column|shape|entity|latent|nats|p-value|strange|novelty|transactions?|events?|windows?|tails?)\b|\brare (?:cause|status|severity|program)\b|\b[0-9a-f]{12,}\b|[a-z]_[a-z]|undefined|NaN|<\*>/i;

export function gapsOf(alert: Alert): string[] {
  const { title, measures, entities, templates, lines, view, id } = alert;
  const words = title.replace(/"[^"]*"/g, '""');
  const [measure] = measures;
  const gaps: string[] = [];
  const jargon = JARGON.exec(words) ?? JARGON.exec((measure?.name ?? "").replace(/"[^"]*"/g, '""'));
  if (title === "" || jargon) gaps.push(`title: ${jargon?.[0]}`);
  if (
    measure === undefined ||
    ![measure.actual, measure.typicalLow, measure.typicalHigh].every(Number.isFinite)
  )
    gaps.push("actual and typical");
  else if (measure.typicalLow > measure.typicalHigh) gaps.push("typical");
  if (entities.length + templates.length === 0) gaps.push("who or what");
  if (lines.length === 0 && view !== "absence") gaps.push("lines"); // of what stayed away there is none
  if (lines.some(({ file, line, text }) => file === "" || line < 1 || text === ""))
    gaps.push("a line's place");
  if (nextCommand("logvane explain", id) === undefined) gaps.push("command");
  return gaps;
}
