import { ALWAYS, type Alert } from "../detect/alert.ts";
import type { Plan } from "../detect/planned.ts";
import type { FeedbackRule, Rules, Scope } from "../detect/rules.ts";
import { Fault } from "../fault.ts";
import { type Database, guarded } from "./db.ts";

/** What the operator has said: feedback on alerts, and the calendar. */

export const VERDICTS = ["benign", "incident", "snooze"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What feedback is about: the alert as it was known when it was given, without its lines, which name people. */
export type About = Pick<
  Alert,
  "id" | "kind" | "severity" | "title" | "entities" | "templates" | "start" | "end" | "parts"
>;

export type Saying = {
  readonly verdict: Verdict;
  readonly scope: Scope;
  /** The newest log time known when it was said, in ms. */
  readonly saidAt: number;
  /** Log time in ms, exclusive; undefined for a confirmed incident, which is so for good. */
  readonly until: number | undefined;
  readonly note: string;
  readonly about: About;
};

/** Times of the system, in ms. */
export type Feedback = Saying & {
  readonly id: number;
  readonly createdAt: number;
  readonly revokedAt: number | undefined;
};

/** A link of a mail that is used up with what it says. expires: the system's time in ms. */
export type Spent = { readonly token: string; readonly expires: number };

export type RulesStore = {
  /** Goes up with each change of what follows. */
  revision(): number;
  /** All that is not revoked, for a detector. */
  inForce(): Rules;
  /** now: the system's time in ms. Returns its number; undefined, and nothing is kept, when the link was used before. Throws Fault. */
  say(saying: Saying, now: number, link?: Spent): number | undefined;
  /** Whether a link was used. */
  isSpent(token: string): boolean;
  /** Newest first. */
  feedback(): Feedback[];
  /** Whether there was such feedback, and it was not revoked. */
  revoke(id: number, now: number): boolean;
  plans(): Plan[];
  /** Returns their numbers. Throws Fault. */
  addPlans(plans: readonly Omit<Plan, "id">[]): number[];
  removePlan(id: number): boolean;
  /** Log time in ms of the newest thing that the state knows of; undefined where it knows nothing. */
  logTime(): number | undefined;
};

/** What is in force at most: each candidate is compared with all of it. */
const MAX_IN_FORCE = 500;
const MAX_PLANS = 500;
/** Marks with a log time: of a watch's last line, and of the last one that `detect` read. */
export const LAST_LINE_MARKS = ["watch.last_line", "detect.last_line"] as const;

export function rulesStore(db: Database, path: string): RulesStore {
  const changed = (): void =>
    void db
      .prepare(
        "INSERT INTO counters (name, value) VALUES ('rules', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
      )
      .run();
  const change = <T>(write: () => T): T =>
    guarded(path, () =>
      db
        .transaction(() => {
          const result = write();
          changed();
          return result;
        })
        .immediate(),
    );
  return {
    revision: () =>
      guarded(path, () => {
        const row = db.prepare("SELECT value FROM counters WHERE name = 'rules'").get();
        return (row as { value: number } | undefined)?.value ?? 0;
      }),
    inForce: () => guarded(path, () => inForce(db)),
    say: (saying, now, link) => change(() => say(db, saying, now, link)),
    isSpent: (token) =>
      guarded(path, () => db.prepare("SELECT 1 FROM used_links WHERE token = ?").get(token) !== undefined),
    feedback: () => guarded(path, () => readFeedback(db)),
    revoke: (id, now) =>
      change(
        () =>
          db.prepare("UPDATE feedback SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL").run(now, id)
            .changes > 0,
      ),
    plans: () => guarded(path, () => readPlans(db)),
    addPlans: (plans) => change(() => addPlans(db, plans)),
    removePlan: (id) => change(() => db.prepare("DELETE FROM calendar WHERE id = ?").run(id).changes > 0),
    logTime: () => guarded(path, () => logTime(db)),
  };
}

function say(db: Database, saying: Saying, now: number, link: Spent | undefined): number | undefined {
  if (link) {
    db.prepare("DELETE FROM used_links WHERE expires < ?").run(now);
    const used = db.prepare("INSERT OR IGNORE INTO used_links (token, expires) VALUES (?, ?)");
    if (used.run(link.token, link.expires).changes === 0) return undefined;
  }
  const { verdict, scope, saidAt, until, note, about } = saying;
  const hiding = db.prepare(
    "SELECT count(*) AS n FROM feedback WHERE revoked_at IS NULL AND until IS NOT NULL AND until > ?",
  );
  if (verdict !== "incident" && (hiding.get(saidAt) as { n: number }).n >= MAX_IN_FORCE) throw tooMany();
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO feedback (alert, verdict, scope, said_at, until, note, about, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      about.id,
      verdict,
      scope,
      Math.round(saidAt),
      until === undefined ? null : Math.round(until),
      note,
      JSON.stringify(about),
      now,
    );
  return Number(lastInsertRowid);
}

type FeedbackRow = {
  id: number;
  verdict: Verdict;
  scope: Scope;
  said_at: number;
  until: number | null;
  note: string;
  about: string;
  created_at: number;
  revoked_at: number | null;
};

function readFeedback(db: Database): Feedback[] {
  const rows = db.prepare("SELECT * FROM feedback ORDER BY id DESC").all() as FeedbackRow[];
  return rows.map((row) => ({
    id: row.id,
    verdict: row.verdict,
    scope: row.scope,
    saidAt: row.said_at,
    until: row.until ?? undefined,
    note: row.note,
    about: JSON.parse(row.about) as About,
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
  }));
}

/** Newest first, so that the last word counts. What was confirmed as an incident is never hidden by older feedback on the very same alert. */
function inForce(db: Database): Rules {
  const said = readFeedback(db).filter(({ revokedAt }) => revokedAt === undefined);
  const feedback = said
    .filter(({ verdict }, i) => verdict !== "incident" && !takenBack(said, i))
    .slice(0, MAX_IN_FORCE)
    .map(ruleOf);
  return { feedback, plans: readPlans(db) };
}

const takenBack = (said: readonly Feedback[], i: number): boolean =>
  said.slice(0, i).some(({ verdict, about }) => verdict === "incident" && about.id === said[i]!.about.id);

const ruleOf = ({ id, verdict, scope, until, about }: Feedback): FeedbackRule => ({
  id,
  verdict: verdict === "snooze" ? "snooze" : "benign",
  scope,
  kind: about.kind,
  entities: about.entities,
  templates: about.templates.map((template) => template.id),
  parts: about.parts,
  start: about.start,
  end: about.end,
  until: until ?? 0,
});

function readPlans(db: Database): Plan[] {
  const rows = db.prepare("SELECT id, record FROM calendar ORDER BY id").all() as {
    id: number;
    record: string;
  }[];
  return rows.map(({ id, record }) => ({ ...(JSON.parse(record) as Omit<Plan, "id">), id }));
}

function addPlans(db: Database, plans: readonly Omit<Plan, "id">[]): number[] {
  const { n } = db.prepare("SELECT count(*) AS n FROM calendar").get() as { n: number };
  if (n + plans.length > MAX_PLANS) throw fullCalendar();
  const insert = db.prepare("INSERT INTO calendar (record) VALUES (?)");
  return plans.map((plan) => Number(insert.run(JSON.stringify(plan)).lastInsertRowid));
}

function logTime(db: Database): number | undefined {
  const times: number[] = [];
  for (const name of LAST_LINE_MARKS) {
    const row = db.prepare("SELECT value FROM marks WHERE name = ?").get(name);
    times.push(Date.parse((row as { value: string } | undefined)?.value ?? ""));
  }
  const newest = db.prepare("SELECT max(opened_at) AS at FROM alerts").get() as { at: number | null };
  times.push(newest.at ?? Number.NaN);
  const known = times.filter(Number.isFinite);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** Whether a kind may only be left alone for a while, never called harmless for good. */
export const onlySnoozed = (kind: Alert["kind"]): boolean => ALWAYS.has(kind);

const tooMany = (): Fault =>
  new Fault(
    "usage",
    `there is so much feedback in force already (${MAX_IN_FORCE})`,
    "feedback",
    "nothing was kept",
    "revoke some (logvane feedback list), or say it once with --scope entity or --scope all",
  );

const fullCalendar = (): Fault =>
  new Fault(
    "usage",
    `the calendar holds ${MAX_PLANS} entries at most`,
    "calendar",
    "nothing was added",
    "remove what is over: logvane calendar list, logvane calendar remove N",
  );
