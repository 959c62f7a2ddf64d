import type { Alert } from "../../src/detect/alert.ts";

/** What an attacker may get into a log: escapes, HTML, CRLF, NUL, a shell's substitutions, a turned text direction. */
export const HOSTILE =
  "\u001b]0;pwned\u0007\u001b[2J<script>alert(1)</script>\r\nerror \u0000`id` $(id); rm -rf / \" ' onload=x \u202e\ud800\ufeff";

/** An alert of a brute force, opened on Monday 2026-09-21 at 02:30 UTC. */
export function sampleAlert(change: Partial<Alert> = {}): Alert {
  return {
    id: "b4f00d",
    openedAt: Date.UTC(2026, 8, 21, 2, 30),
    closedAt: Date.UTC(2026, 8, 21, 5),
    start: Date.UTC(2026, 8, 21, 2),
    end: Date.UTC(2026, 8, 21, 4),
    severity: "high",
    class: "budget",
    held: false,
    pValue: 1e-6,
    view: "entity",
    kind: "bruteforce",
    kindConfidence: 0.92,
    title: "Many failed log-ins from 192.0.2.9",
    summary: "412 log-ins failed in an hour; at most 3 are usual.",
    entities: [{ type: "client", value: "192.0.2.9" }],
    templates: [],
    measures: [{ name: "failed log-ins", actual: 412, typicalLow: 0, typicalHigh: 3 }],
    lines: [{ file: "mail.log", line: 17, text: "Sep 21 02:00:01 mx postfix/smtpd[5]: SASL LOGIN failed" }],
    updates: [],
    total: { lines: 412, events: 412 },
    parts: [],
    ...change,
  };
}

/** An alert in which every text that can come from a log is hostile. */
export function hostileAlert(): Alert {
  return sampleAlert({
    id: `x; ${HOSTILE}`,
    title: HOSTILE,
    summary: HOSTILE,
    entities: [{ type: HOSTILE, value: HOSTILE }],
    measures: [{ name: HOSTILE, actual: Number.NaN, typicalLow: 0, typicalHigh: Number.POSITIVE_INFINITY }],
    lines: [{ file: HOSTILE, line: 1, text: HOSTILE + "x".repeat(1_000_000) }],
  });
}
