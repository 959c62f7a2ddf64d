import { type AlertSeverity, HIGH } from "./alert.ts";
import type { Candidate } from "./candidate.ts";

const SEVERITIES: readonly AlertSeverity[] = ["low", "medium", "high", "critical"];
/** The graver of two. */
export const graver = (a: AlertSeverity, b: AlertSeverity): AlertSeverity =>
  SEVERITIES.indexOf(a) < SEVERITIES.indexOf(b) ? b : a;

/** Rarity does not rank gravity, the kind does; rarity tells medium from low. */
export function severityOf(c: Candidate): AlertSeverity {
  if (c.kind === "disk_full" || c.kind === "delivery_stopped" || c.kind === "service_stopped")
    return "critical";
  if (HIGH.has(c.kind)) return "high";
  return c.rate < 1e-3 ? "medium" : "low";
}
