// What is told of normal maintenance: npm run eval:maintenance [-- SERVER...] [--page]. Prints Markdown; with --page, writes it into docs/accuracy.md. Every
// alert on standard error. A fortnight full of it is watched with a history that holds such maintenance, and with one that does not.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { table } from "../bench/table.ts";
import { compose } from "../src/compose/compose.ts";
import type { Episode, Material } from "../src/compose/material.ts";
import type { Plan } from "../src/compose/plan.ts";
import type { Alert } from "../src/detect/alert.ts";
import { Zone } from "../src/log/zone.ts";
import { commandLine, namesOf } from "./command.ts";
import type { Line } from "./drift/changes.ts";
import { train, watch } from "./drift/watch.ts";
import { loadMaterial, type Site } from "./episodes.ts";
import {
  doneOf,
  fortnightOf,
  historyOf,
  KINDS,
  type Kind,
  LEARNED_DAYS,
  SUBJECTS,
  type Subject,
  untilOf,
  upgraded,
} from "./maintenance/plans.ts";
import { asCode, withSection } from "./page.ts";

const PAGE = join(fileURLToPath(new URL("../../", import.meta.url)), "docs/accuracy.md");
/** An alert so long after its end is still of it. */
const GRACE_MS = 2 * 3_600_000;

const program = new Command("eval:maintenance")
  .addArgument(
    namesOf(
      "server",
      SUBJECTS.map(({ server }) => server.name),
    ),
  )
  .option("--page", "write it into docs/accuracy.md", false);
const { flags, names } = commandLine<{ readonly page: boolean }>(program);

/** What had piled up when a long outage ended comes at once in a recording; after a minute there is none. */
const isBacklog = ({ class: kind, part, lines }: Episode): boolean =>
  kind === "sys" && part === "rec" && lines.some(([, tag]) => tag.endsWith("smtpd"));
const kept = (episode: Episode): boolean => !isBacklog(episode);
const MATERIAL: Readonly<Record<Site, Material>> = {
  first: loadMaterial("first", kept).material,
  second: loadMaterial("second", kept).material,
};
const linesOf = (plan: Plan, { site }: Subject): Line[] =>
  [...compose(plan, MATERIAL[site])].flatMap((batch) =>
    batch.map(({ time, text }) => ({ time, text, isFault: false })),
  );

/** The fortnight's log; from the first upgrade on as the newer versions write it. */
function watchedLines(subject: Subject): Line[] {
  const from = doneOf(subject).find(({ kind }) => kind.name === "upgrade")!.at;
  return linesOf(fortnightOf(subject), subject).map((line) =>
    line.time < from ? line : { ...line, text: upgraded(line.text) },
  );
}

const servers = SUBJECTS.filter(({ server }) => names.length === 0 || names.includes(server.name));
/** Alerts by kind of maintenance and whether the history held such; "" for those that came at another time. */
const told = new Map<string, Alert[]>();
const keyOf = (kind: string, held: boolean): string => `${kind} ${held}`;
for (const subject of servers) {
  const done = doneOf(subject);
  const watched = watchedLines(subject);
  for (const held of [true, false]) {
    const zone = new Zone(subject.server.zone);
    const trained = train(linesOf(historyOf(subject, held), subject), untilOf(subject), zone);
    for (const alert of watch({ ...trained, count: 0 }, watched)) {
      const { openedAt } = alert;
      const of = done.findLast(
        ({ kind, at }) => openedAt >= at && openedAt < at + kind.minutes * 60_000 + GRACE_MS,
      );
      const key = keyOf(of?.kind.name ?? "", held);
      told.set(key, [...(told.get(key) ?? []), alert]);
      process.stderr.write(
        `${subject.server.name}, ${held ? "seen" : "unseen"}: ${of?.kind.name ?? "elsewhere"}, ${new Date(openedAt).toISOString()} ${alert.severity} ${alert.kind}${alert.held ? " (held back)" : ""}: ${alert.title}\n`,
      );
    }
  }
}

/** "1 of 16: service_stopped". */
function cell(kind: Kind, held: boolean): string {
  const alerts = told.get(keyOf(kind.name, held)) ?? [];
  const kinds = [...new Set(alerts.map((alert) => alert.kind))];
  return `${alerts.length}${kinds.length === 0 ? "" : `: ${kinds.join(", ")}`}`;
}
const times = (kind: Kind): number =>
  servers.reduce((sum, subject) => sum + doneOf(subject).filter((one) => one.kind === kind).length, 0);
const rows = KINDS.map((kind) => [
  kind.name,
  kind.what,
  String(times(kind)),
  cell(kind, true),
  cell(kind, false),
]);
const elsewhere = (held: boolean): number => told.get(keyOf("", held))?.length ?? 0;
const toldSeen = KINDS.flatMap(({ name }) =>
  (told.get(keyOf(name, true)) ?? []).map(
    ({ severity, kind, title }) => `- ${name}: ${severity} ${kind}: ${asCode(title)}`,
  ),
);
const text = `## Normal maintenance

Written by \`npm run eval:maintenance -- --page\`. ${servers.length} composed servers (${servers.map(({ server, site }) => `${server.name}: ${site} site, ${server.header}, ${server.mailsPerDay} mails a day`).join("; ")}),
${LEARNED_DAYS} days learned, a fortnight watched in which three things a day are done, each kind at other hours and weekdays; 2 alerts a day at most. Alerts of a kind: those opened within two hours of its end, held ones too.
*Seen*: the history holds each kind once (of *upgrade* the older version alone); *unseen*: none of any kind. At other times ${elsewhere(true)} and ${elsewhere(false)} alerts.
What is away for a minute is composed of what was recorded of the fault itself, without the backlog of its end; Dovecot's words for cut sessions were recorded with sessions open. A rotation writes no line into a mail log.

${table([["kind", "what is done", "times", "alerts, seen", "alerts, unseen"], ...rows])}

Told though the history held such:

${toldSeen.join("\n") || "- none"}

What the history never held and is told: mailings that bring a day's mail in half an hour, which nobody could tell from an application gone wild; what rspamd complains of at each of its starts, without a
line that it starts; on small servers, the first mail in a fortnight that a dead milter or Dovecot puts off. The four servers are not held out: how lines of one restart and messages of one client are counted was chosen by what was told on them.`;
if (flags.page) writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), "eval:maintenance", text));
else process.stdout.write(`${text}\n`);
