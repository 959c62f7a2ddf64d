import { alertRecord } from "../../src/detect/alert.ts";
import { LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { EventReader } from "../../src/mail/read.ts";
import { type DayFigures, MailSummary, type Row, type Summary, usualOf } from "../../src/mail/summary.ts";
import type { DailyReport } from "../../src/report/daily.ts";
import { type Day, dayOf } from "../../src/report/daily-log.ts";
import type { StoredAlert } from "../../src/store/queries.ts";
import { HOSTILE, sampleAlert } from "./support.ts";

/** Saturday; in Berlin it is UTC+1. */
export const DAY = "2026-11-28";
export const ZONE = "Europe/Berlin";
const HOUR = 3_600_000;

const pad = (n: number): string => String(n).padStart(2, "0");

/** A day of log by RFC 3164: each hour h brings `perHour(h)` messages, of which some are deferred, and refusals at noon. */
export function dayLines(date: string, perHour: (hour: number) => number, word = "example"): string[] {
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const at = `${month[Number(date.slice(5, 7)) - 1]} ${String(Number(date.slice(8))).padStart(2)}`;
  const lines: string[] = [];
  let serial = 0;
  for (let h = 0; h < 24; h++) {
    const head = (n: number): string => `${at} ${pad(h)}:${pad(n)}:00 mx postfix`;
    for (let i = 0; i < perHour(h); i++) {
      const id = (0xa000000 + ++serial).toString(16).toUpperCase();
      const from = `ann${i % 3}@${word}.org`;
      const to = `bob${i % 4}@${i % 5 === 0 ? "slow" : "fast"}.example`;
      lines.push(
        `${head(i)}/smtpd[10]: ${id}: client=h.${word}.org[192.0.2.${i}]`,
        `${head(i)}/cleanup[11]: ${id}: message-id=<${id}@${word}.org>`,
        `${head(i)}/qmgr[12]: ${id}: from=<${from}>, size=${1000 + i}, nrcpt=1 (queue active)`,
        i % 5 === 0
          ? `${head(i)}/smtp[13]: ${id}: to=<${to}>, relay=mx.slow.example[203.0.113.9]:25, delay=2, delays=0.1/0/1/0.9, dsn=4.7.0, status=deferred (host mx.slow.example[203.0.113.9] said: 421 4.7.0 try later (in reply to end of DATA command))`
          : `${head(i)}/smtp[13]: ${id}: to=<${to}>, relay=mx.fast.example[203.0.113.5]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=2.0.0, status=sent (250 ok)`,
        `${head(i)}/qmgr[12]: ${id}: removed`,
      );
    }
    if (h === 12)
      lines.push(
        `${head(30)}/smtpd[10]: NOQUEUE: reject: RCPT from bad.example[198.51.100.7]: 554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.example; from=<x@bad.example> to=<ann0@${word}.org> proto=ESMTP helo=<bad.example>`,
      );
  }
  return lines;
}

export function summaryOf(lines: readonly string[], day: Day): Summary {
  const year = Number(day.day.slice(0, 4));
  const summary = new MailSummary(day.day, day.zone.name);
  const reader = new EventReader(new LogClock(day.zone, year), 1);
  for (const batch of new LineCutter().push(Buffer.from(`${lines.join("\n")}\n`)))
    for (let i = 0; i < batch.count; i++) summary.add(reader.read("mail.log", batch, i));
  return summary.summary(20);
}

/** The same totals on `days` days before a day, each a little other than the last. */
export function daysBefore(summary: Summary, days: number, day: string = DAY): DayFigures[] {
  const noon = Date.parse(`${day}T12:00:00Z`);
  return Array.from({ length: days }, (_, i) => ({
    day: new Date(noon - (days - i) * 24 * HOUR).toISOString().slice(0, 10),
    totals: Object.fromEntries(
      Object.entries(summary.corrected).map(([name, n]) => [name, n + (i % 3) - 1 < 0 ? 0 : n + (i % 3) - 1]),
    ) as Summary["corrected"],
  }));
}

/** An incident of the sample day, `hour` hours after its midnight. */
export function incident(hour: number, change: Parameters<typeof sampleAlert>[0] = {}): StoredAlert {
  const start = dayOf(DAY, ZONE).from + hour * HOUR;
  const times = { openedAt: start + HOUR / 2, start, end: start + 2 * HOUR, closedAt: start + 4 * HOUR };
  return JSON.parse(JSON.stringify(alertRecord(sampleAlert({ ...times, ...change })))) as StoredAlert;
}

/** A quiet Saturday, watched by a model of three weeks, in the middle of its usual ranges. */
export function quietReport(change: Partial<DailyReport> = {}): DailyReport {
  const day = dayOf(DAY, ZONE);
  const summary = summaryOf(
    dayLines(DAY, (h) => (h < 6 ? 1 : 6)),
    day,
  );
  const before = daysBefore(summary, 84);
  return {
    server: "mail.example.org",
    day: DAY,
    timezone: ZONE,
    from: new Date(day.from).toISOString(),
    to: new Date(day.to).toISOString(),
    made_at: "2026-11-29T05:00:00.000Z",
    alerts: [],
    more_alerts: 0,
    held: [],
    budget: { per_day: 2, opened: 0, held: 0, joined: 0, below_bar: 17 },
    new_templates: [],
    more_new_templates: 0,
    summary,
    figures_lack: null,
    usual: usualOf(before, DAY),
    before,
    health: {
      release: "0.1.0",
      model: { id: "a1b2c3d4e5f6", from: "2026-11-01T00:00:00.000Z", to: "2026-11-22T00:00:00.000Z" },
      watched: true,
      retrained: null,
      lines: 576,
      unknown: 0,
      bad_envelope: 0,
      lost: 0,
      waiting: 0,
      given_up: 0,
      state_mb: 12.3,
      notes: [],
    },
    ...change,
  };
}

/** The same day with two incidents, one that goes on, one held back, new kinds of lines, and figures out of range. */
export function busyReport(): DailyReport {
  const quiet = quietReport();
  const { summary } = quiet;
  const day = dayOf(DAY, ZONE);
  const busy = summaryOf(
    dayLines(DAY, (h) => (h === 9 ? 59 : h < 6 ? 1 : 8)),
    day,
  );
  return quietReport({
    alerts: [
      incident(-20, {
        id: "0ld1",
        title: "Name lookups fail: 30 rare lines in 30 min, usually none",
        kind: "dns_failure",
        closedAt: null,
        end: day.from + 5 * HOUR,
      }),
      incident(9, {
        id: "gr4ve",
        severity: "critical",
        title: "Mail to slow.example is deferred: 59 deferrals in 1 h, usually at most 2",
        summary: "Of 59 messages to slow.example in an hour none was taken; usually nearly all are.",
        kind: "remote_throttled",
        entities: Array.from({ length: 9 }, (_, i) => ({ type: "nexthop", value: `mx${i}.slow.example` })),
        measures: [{ name: "deferrals", actual: 59, typicalLow: 0, typicalHigh: 2 }],
        lines: [
          {
            file: "/var/log/mail.log",
            line: 812,
            text: "Nov 28 09:00:00 mx postfix/smtp[13]: A00000C: to=<bob0@slow.example>, status=deferred (host mx.slow.example[203.0.113.9] said: 421 4.7.0 try later, see https://slow.example/why)",
          },
        ],
      }),
      incident(2),
    ],
    held: [incident(15, { id: "he1d", held: true, severity: "low", title: "Deliveries have become slow" })],
    suppressed: [
      incident(16, {
        ...{ id: "5a1d", held: true, severity: "medium", title: "Flood of connections" },
        suppressed: { by: "feedback", rule: 3, name: "harmless" },
      }),
    ],
    budget: { per_day: 2, opened: 2, held: 1, suppressed: 1, planned: 0, joined: 5, below_bar: 40 },
    new_templates: [
      {
        id: "t1",
        text: "postfix/smtpd: warning: hostname <*> does not resolve to address <*>",
        first_at: new Date(day.from + 3 * HOUR).toISOString(),
        lines: 1204,
      },
      {
        id: "t2",
        text: "dovecot: imap(<*>): Error: Mailbox INBOX: fscking index file <*>",
        first_at: new Date(day.from + 20 * HOUR).toISOString(),
        lines: 1,
      },
    ],
    more_new_templates: 3,
    summary: busy,
    usual: usualOf(daysBefore(summary!, 84), DAY),
    health: {
      ...quiet.health,
      lines: 1100,
      unknown: 3,
      waiting: 2,
      lost: 40,
      retrained: "Trained again on 28 days; the new model is in use.",
      notes: ["40 lines of the log were gone before being read: keep rotated files longer."],
    },
  });
}

/** A report in which every text that can come from a log or a file name is hostile. */
export function hostileReport(): DailyReport {
  const quiet = quietReport();
  const wide = "漢".repeat(200) + "e\u0301".repeat(200);
  const day = dayOf(DAY, ZONE);
  const lines = dayLines(DAY, () => 3, `a<script>alert(1)</script>www.evil.example/"${"x".repeat(300)}`);
  return quietReport({
    server: HOSTILE,
    alerts: [
      incident(1, {
        id: "good1",
        title: `=?utf-8?q?forged?= ${HOSTILE} http://evil.example/ www.evil.example`,
        summary: HOSTILE + wide,
        entities: [{ type: HOSTILE, value: wide }],
        measures: [{ name: HOSTILE, actual: Number.NaN, typicalLow: 0, typicalHigh: 1 }],
        lines: [{ file: HOSTILE, line: 1, text: HOSTILE + wide.repeat(20) }],
      }),
      incident(2, { id: `x; ${HOSTILE}`, title: wide }),
    ],
    held: [incident(3, { held: true, title: HOSTILE })],
    suppressed: [
      incident(4, { held: true, title: HOSTILE, suppressed: { by: "calendar", rule: 1, name: HOSTILE } }),
    ],
    budget: { per_day: 2, opened: 2, held: 1, planned: 1, joined: 0, below_bar: 0 },
    new_templates: [{ id: "t", text: HOSTILE + wide, first_at: quiet.from, lines: 7 }],
    summary: summaryOf(lines, day),
    health: { ...quiet.health, retrained: HOSTILE, notes: [HOSTILE, wide] },
  });
}

/** A report in which everything is as long and as many as it can be. */
export function fullestReport(): DailyReport {
  const long = "Lorem ipsum dolor sit amet, consectetur adipiscing elit <a=b> & ".repeat(40);
  const row = (i: number): Row => ({
    ...Object.fromEntries(
      [
        "daemon",
        "reason",
        "text",
        "relay",
        "host",
        "provider",
        "cause",
        "code",
        "service",
        "user",
        "address",
      ].map((key) => [key, `${i} ${long}`]),
    ),
    ...Object.fromEntries(
      ["count", "sent", "defers", "bytes", "messages", "recipients", "addresses"].map((key) => [
        key,
        123_456_789,
      ]),
    ),
  });
  const report = busyReport();
  const summary = report.summary!;
  const rows = Array.from({ length: 20 }, (_, i) => row(i));
  const names = Object.keys(summary.lists).filter((name) => !name.startsWith("per_"));
  const lists = { ...summary.lists, ...Object.fromEntries(names.map((name) => [name, rows])) };
  const alert = {
    title: long,
    summary: long,
    entities: Array.from({ length: 50 }, () => ({ type: "client", value: long })),
    measures: Array.from({ length: 9 }, () => ({ name: long, actual: 1e9, typicalLow: 0, typicalHigh: 1 })),
    lines: [{ file: "f", line: 1, text: long }],
  };
  return {
    ...report,
    alerts: Array.from({ length: 200 }, (_, i) => incident(i / 10 - 4, { ...alert, id: `a${i}` })),
    more_alerts: 1000,
    held: Array.from({ length: 50 }, (_, i) => incident(i / 10, { ...alert, id: `h${i}`, held: true })),
    suppressed: Array.from({ length: 50 }, (_, i) =>
      incident(i / 10, {
        ...alert,
        ...{ id: `s${i}`, held: true, suppressed: { by: "calendar", rule: i, name: long } },
      }),
    ),
    budget: {
      per_day: 2,
      opened: 1200,
      held: 5000,
      suppressed: 4000,
      planned: 3000,
      joined: 5,
      below_bar: 40,
    },
    new_templates: Array.from({ length: 20 }, (_, i) => ({
      id: `t${i}`,
      text: long,
      first_at: report.from,
      lines: 1e6,
    })),
    more_new_templates: 5000,
    summary: { ...summary, lists },
    health: { ...report.health, notes: Array.from({ length: 12 }, () => long) },
  };
}
