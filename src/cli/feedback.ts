import { type Command, Option } from "commander";
import { type Judgement, sayingOn, sayingText } from "../deliver/saying.ts";
import { SCOPES, type Scope } from "../detect/rules.ts";
import { Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import { localTime } from "../report/format.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore, type Store } from "../store/queries.ts";
import { type Feedback, VERDICTS, type Verdict } from "../store/rules.ts";
import {
  addCommonOptions,
  addZoneOption,
  type Options,
  outputFormat,
  stateDir,
  timeZone,
} from "./options.ts";
import { writeOut } from "./out.ts";
import { durationMs } from "./when.ts";

const SHOWN = 80;

/** Registers `logvane feedback`. */
export function feedbackCommand(program: Command): Command {
  const command = program
    .command("feedback")
    .description(
      "say of an alert that it is harmless, was an incident, or is to be left alone; list and revoke",
    )
    .usage("ID benign|incident|snooze [options] | list | revoke N")
    .argument("<id>", "the alert's id, or its beginning; or list, or revoke")
    .argument("[verdict]", `${VERDICTS.join(", ")}; after revoke: the number of the feedback`)
    .addOption(
      new Option(
        "--scope <scope>",
        "what it is about: the same again, its entities, its templates, or all of its kind",
      )
        .choices([...SCOPES])
        .default("this"),
    )
    .option(
      "--for <duration>",
      "how long it holds, by the log's time: 90d, 12h (default: benign 90d, snooze 1d)",
    )
    .option("--note <text>", "why, for those who read the list", "")
    .action(async (id: string, verdict: string | undefined, options: Options) => {
      if (id === "list") return list(options);
      if (id === "revoke") return revoke(verdict, options);
      return give(id, verdict, options);
    });
  return addZoneOption(addCommonOptions(command));
}

async function give(id: string, verdict: string | undefined, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const judgement = judgementOf(verdict, options);
  const feedback = inState(options, (store) => {
    const alert = store.getAlert(id);
    if (alert === undefined) throw noAlert(id, stateDir(options));
    const number = store.rules.say(sayingOn(store, alert, judgement), Date.now());
    return store.rules.feedback().find((one) => one.id === number)!;
  });
  if (feedback === undefined) throw noAlert(id, stateDir(options));
  if (format === "json") return writeOut(`${JSON.stringify(feedbackRecord(feedback), undefined, 2)}\n`);
  const until = feedback.until === undefined ? "" : localTime(feedback.until, timeZone(options));
  await writeOut(
    `feedback ${feedback.id} on "${cut(terminalSafe(feedback.about.title), SHOWN)}"\n${sayingText(feedback, until)}\nlogvane feedback revoke ${feedback.id} takes it back.\n`,
  );
}

/** The arguments, checked. Throws a usage Fault. */
function judgementOf(verdict: string | undefined, options: Options): Judgement {
  const known = VERDICTS.find((v) => v === verdict);
  if (known === undefined)
    throw new Fault(
      "usage",
      verdict === undefined ? "no verdict was given" : `"${verdict.slice(0, SHOWN)}" is no verdict`,
      "command line, after the alert's id",
      "nothing was kept",
      `use one of: ${VERDICTS.join(", ")}; or type: logvane feedback list`,
    );
  const length = options["for"];
  if (length !== undefined && known === "incident")
    throw new Fault(
      "usage",
      "a confirmed incident stays one",
      "--for",
      "nothing was kept",
      "leave --for out; logvane feedback revoke N takes a verdict back",
    );
  return {
    verdict: known satisfies Verdict,
    scope: options["scope"] as Scope,
    forMs: length === undefined ? undefined : durationMs(String(length), "--for", "90d"),
    note: String(options["note"]),
  };
}

async function list(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json", "ndjson"]);
  const { said, now } = inState(options, (store) => ({
    said: store.rules.feedback(),
    now: store.rules.logTime(),
  })) ?? { said: [], now: undefined };
  const records = said.map(feedbackRecord);
  if (format === "json") return writeOut(`${JSON.stringify(records, undefined, 2)}\n`);
  if (format === "ndjson") return writeOut(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  if (said.length === 0)
    return writeOut("No feedback. logvane feedback ID benign says of an alert that it is harmless.\n");
  await writeOut(said.map((one) => row(one, now, timeZone(options))).join(""));
}

function row(feedback: Feedback, now: number | undefined, zone: string): string {
  const { id, verdict, scope, about, until, revokedAt, note } = feedback;
  const held =
    until === undefined
      ? "for good"
      : `until ${localTime(until, zone)}${now !== undefined && now >= until ? ", over" : ""}`;
  const state = revokedAt === undefined ? held : `revoked ${localTime(revokedAt, zone)}`;
  const why = note === "" ? "" : `      ${terminalSafe(note)}\n`;
  return `${String(id).padStart(4)}  ${verdict.padEnd(8)}  ${scope.padEnd(8)}  ${about.id}  ${about.kind}, ${state}\n      ${cut(terminalSafe(about.title), 2 * SHOWN)}\n${why}`;
}

/** A piece of feedback as JSON. */
function feedbackRecord({
  id,
  verdict,
  scope,
  about,
  saidAt,
  until,
  createdAt,
  revokedAt,
  note,
}: Feedback): object {
  const iso = (ms: number | undefined): string | null =>
    ms === undefined ? null : new Date(ms).toISOString();
  return {
    id,
    verdict,
    scope,
    alert: about.id,
    kind: about.kind,
    title: about.title,
    start: iso(about.start),
    end: iso(about.end),
    said_at: iso(saidAt),
    until: iso(until),
    created_at: iso(createdAt),
    revoked_at: iso(revokedAt),
    note,
    entities: about.entities,
    templates: about.templates,
    parts: about.parts,
  };
}

async function revoke(text: string | undefined, options: Options): Promise<void> {
  const number = Number(text);
  const done =
    Number.isSafeInteger(number) &&
    number > 0 &&
    inState(options, (store) => store.rules.revoke(number, Date.now()));
  if (done !== true)
    throw new Fault(
      "usage",
      `there is no feedback ${String(text).slice(0, SHOWN)} in force`,
      `state folder ${stateDir(options)}`,
      "nothing was changed",
      "logvane feedback list shows the numbers",
    );
  await writeOut(`feedback ${number} is revoked: what it hid is told again\n`);
}

/** Undefined where there is no state yet. */
function inState<T>(options: Options, use: (store: Store) => T): T | undefined {
  const dir = stateDir(options);
  if (!hasDatabase(dir)) return undefined;
  const store = openStore(dir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const noAlert = (id: string, dir: string): Fault =>
  new Fault(
    "noInput",
    `there is no alert "${id.slice(0, SHOWN)}"`,
    `state folder ${dir}`,
    "nothing was kept",
    "logvane alerts lists the ids; --state DIR names another state folder",
  );
