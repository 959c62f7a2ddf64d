import { type Database, guarded } from "./db.ts";

/** Something to be told on one channel, as it waits. Times: the system's, milliseconds since the Unix epoch. */
export type OutboxRow = {
  readonly id: number;
  /** What is told and where; unique. */
  readonly key: string;
  readonly channel: string;
  readonly createdAt: number;
  /** JSON of a notification. */
  readonly payload: string;
  readonly attempts: number;
  readonly nextAt: number;
  /** Recipients that have it already. */
  readonly reached: readonly string[];
};

/** What stands on one channel. sent and givenUp: since the state was made, whatever has been pruned. */
export type ChannelCounts = {
  readonly channel: string;
  readonly waiting: number;
  readonly sent: number;
  readonly givenUp: number;
  readonly digested: number;
  /** When the first that waits came to wait. */
  readonly oldestAt: number | undefined;
};

export type Outbox = {
  /**
   * Lets a notification wait on each channel, once: what has or had its key there is left as it is. To be called inside
   * the caller's transaction, so that it waits if and only if what it tells of was kept.
   */
  enqueue(key: string, payload: string, channels: readonly string[], now: number): void;
  /** Whether the notification of that key was ever given to the channel, or to any, and is not yet pruned. */
  holds(key: string, channel?: string): boolean;
  /** Channels with something that waits. */
  waitingChannels(): string[];
  /** The first that waits on a channel. */
  first(channel: string): OutboxRow | undefined;
  /** Alerts that have waited on a channel since before a time, in order. */
  alertsBefore(channel: string, time: number): OutboxRow[];
  /** error: what is worth knowing of a sending that went well in the main. */
  markSent(id: number, now: number, error?: string): void;
  /** Tries again, not before nextAt. */
  markRetry(id: number, nextAt: number, error: string, reached: readonly string[]): void;
  markGivenUp(id: number, now: number, error: string): void;
  /** Lets what waits on a channel be tried at once: somebody may have mended it. */
  hurry(channel: string, now: number): void;
  /**
   * Takes the alerts that wait on a channel beyond the first `keep` out of the queue and lets one notification wait in
   * their place. What `sum` makes of them and of the one made before, while that has not been tried, is kept.
   */
  digest(channel: string, keep: number, now: number, sum: DigestSum): void;
  counts(): ChannelCounts[];
  /** How many were given up since a time. */
  givenUpSince(time: number): number;
  /** Forgets what was done with before a time. What waits stays. */
  prune(before: number): void;
  /** The text under a name of the table of marks. */
  mark(name: string): string | undefined;
  setMark(name: string, value: string): void;
  /** Runs work in one transaction that writes. */
  transaction<T>(work: () => T): T;
};

/** id: of the digest. before: payload of the one that is replaced. rows: those taken out, in order. Gives key and payload. */
export type DigestSum = (
  id: number,
  before: string | undefined,
  rows: readonly OutboxRow[],
) => { readonly key: string; readonly payload: string };

type Row = {
  id: number;
  key: string;
  channel: string;
  created_at: number;
  payload: string;
  attempts: number;
  next_at: number;
  reached: string | null;
};

/** Characters of an error that are kept. */
const ERROR_LENGTH = 500;
/** Keys of notifications of alerts begin so, see notificationKey. */
const IS_ALERT = "key LIKE 'alert %'";
const IS_DIGEST = "key LIKE 'digest %'";
const WAITS = "state = 'waiting'";

/** The queue of notifications over an open database; path: its name in messages. Throws Fault (see guarded). */
export function outboxOf(db: Database, path: string): Outbox {
  const run = <T>(work: () => T): T => guarded(path, work);
  const finish = (id: number, state: string, now: number, error: string | undefined): void =>
    run(() => db.transaction(() => finishRow(db, id, state, now, error)).immediate());
  return {
    enqueue: (key, payload, channels, now) => run(() => enqueue(db, key, payload, channels, now)),
    holds: (key, channel) => run(() => holds(db, key, channel)),
    waitingChannels: () =>
      run(() =>
        (
          db.prepare(`SELECT DISTINCT channel FROM outbox WHERE ${WAITS} ORDER BY channel`).all() as Row[]
        ).map((r) => r.channel),
      ),
    first: (channel) => run(() => select(db, "", channel)[0]),
    alertsBefore: (channel, time) =>
      run(() => select(db, `AND ${IS_ALERT} AND created_at < ?`, channel, time)),
    markSent: (id, now, error) => finish(id, "sent", now, error),
    markRetry: (id, nextAt, error, reached) =>
      run(() => {
        db.prepare(
          `UPDATE outbox SET attempts = attempts + 1, next_at = ?, error = ?, reached = ? WHERE id = ? AND ${WAITS}`,
        ).run(nextAt, error.slice(0, ERROR_LENGTH), reached.length > 0 ? JSON.stringify(reached) : null, id);
      }),
    markGivenUp: (id, now, error) => finish(id, "given_up", now, error),
    hurry: (channel, now) =>
      run(
        () =>
          void db.prepare(`UPDATE outbox SET next_at = ? WHERE ${WAITS} AND channel = ?`).run(now, channel),
      ),
    digest: (channel, keep, now, sum) =>
      run(() => {
        if (waitingAlerts(db, channel) > keep)
          db.transaction(() => digest(db, channel, keep, now, sum)).immediate();
      }),
    counts: () => run(() => counts(db)),
    givenUpSince: (time) =>
      run(() => {
        const row = db
          .prepare("SELECT count(*) AS n FROM outbox WHERE state = 'given_up' AND done_at >= ?")
          .get(time) as { n: number };
        return row.n;
      }),
    prune: (before) =>
      run(() => void db.prepare(`DELETE FROM outbox WHERE NOT ${WAITS} AND done_at < ?`).run(before)),
    mark: (name) =>
      run(() => {
        const row = db.prepare("SELECT value FROM marks WHERE name = ?").get(name);
        return (row as { value: string } | undefined)?.value;
      }),
    setMark: (name, value) =>
      run(() => void db.prepare("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)").run(name, value)),
    transaction: (work) => run(() => db.transaction(work).immediate()),
  };
}

function enqueue(db: Database, key: string, payload: string, channels: readonly string[], now: number): void {
  const insert = db.prepare(
    "INSERT OR IGNORE INTO outbox (key, channel, created_at, payload, next_at) VALUES (?, ?, ?, ?, ?)",
  );
  for (const channel of channels) insert.run(`${key} ${channel}`, channel, now, payload, now);
}

function holds(db: Database, key: string, channel: string | undefined): boolean {
  if (channel !== undefined)
    return db.prepare("SELECT 1 FROM outbox WHERE key = ?").get(`${key} ${channel}`) !== undefined;
  return (
    db.prepare("SELECT 1 FROM outbox WHERE key >= ? AND key < ?").get(`${key} `, `${key}!`) !== undefined // ! follows the blank
  );
}

/** What waits on a channel, in order; and: a further condition. */
function select(db: Database, and: string, channel: string, ...values: readonly unknown[]): OutboxRow[] {
  const one = and === "" ? "LIMIT 1" : "";
  const rows = db
    .prepare(`SELECT * FROM outbox WHERE ${WAITS} AND channel = ? ${and} ORDER BY id ${one}`)
    .all(channel, ...values) as Row[];
  return rows.map(rowOf);
}

const rowOf = (row: Row): OutboxRow => ({
  id: row.id,
  key: row.key,
  channel: row.channel,
  createdAt: row.created_at,
  payload: row.payload,
  attempts: row.attempts,
  nextAt: row.next_at,
  reached: row.reached === null ? [] : (JSON.parse(row.reached) as string[]),
});

/** Ends the waiting of a row, and counts it for good. Its key stays, what it told does not: that may name people. */
function finishRow(db: Database, id: number, state: string, now: number, error: string | undefined): void {
  const row = db
    .prepare(
      `UPDATE outbox SET state = ?, attempts = attempts + 1, done_at = ?, error = ?, payload = '{}' WHERE id = ? AND ${WAITS} RETURNING channel`,
    )
    .get(state, now, error?.slice(0, ERROR_LENGTH) ?? null, id) as { channel: string } | undefined;
  if (row !== undefined) addTo(db, state, row.channel, 1);
}

const counter = (state: string, channel: string): string => `outbox ${state} ${channel}`;

function addTo(db: Database, state: string, channel: string, n: number): void {
  db.prepare(
    "INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
  ).run(counter(state, channel), n);
}

function waitingAlerts(db: Database, channel: string): number {
  const { n } = db
    .prepare(`SELECT count(*) AS n FROM outbox WHERE ${WAITS} AND channel = ? AND ${IS_ALERT}`)
    .get(channel) as { n: number };
  return n;
}

function digest(db: Database, channel: string, keep: number, now: number, sum: DigestSum): void {
  const rows = select(db, `AND ${IS_ALERT}`, channel).slice(keep);
  const [old] = select(db, `AND ${IS_DIGEST} AND attempts = 0`, channel).slice(-1);
  const done = db.prepare("UPDATE outbox SET state = 'digested', done_at = ?, payload = '{}' WHERE id = ?");
  for (const row of rows) done.run(now, row.id);
  addTo(db, "digested", channel, rows.length);
  const id = old?.id ?? rows[0]!.id;
  const { key, payload } = sum(id, old?.payload, rows);
  if (old !== undefined) db.prepare("UPDATE outbox SET payload = ? WHERE id = ?").run(payload, old.id);
  else enqueue(db, key, payload, [channel], now);
}

function counts(db: Database): ChannelCounts[] {
  const waiting = db
    .prepare(
      `SELECT channel, count(*) AS n, min(created_at) AS oldest FROM outbox WHERE ${WAITS} GROUP BY channel`,
    )
    .all() as { channel: string; n: number; oldest: number }[];
  const done = db.prepare("SELECT name, value FROM counters WHERE name LIKE 'outbox %'").all() as {
    name: string;
    value: number;
  }[];
  const total = new Map(done.map(({ name, value }) => [name, value]));
  const channels = new Set([...waiting.map((w) => w.channel), ...done.map((d) => channelOf(d.name))]);
  return [...channels].sort().map((channel) => {
    const now = waiting.find((w) => w.channel === channel);
    const of = (state: string): number => total.get(counter(state, channel)) ?? 0;
    return {
      channel,
      waiting: now?.n ?? 0,
      sent: of("sent"),
      givenUp: of("given_up"),
      digested: of("digested"),
      oldestAt: now?.oldest,
    };
  });
}

/** The channel of a counter's name: what follows the second blank. */
const channelOf = (name: string): string => name.split(" ").slice(2).join(" ");
