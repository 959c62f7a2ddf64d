import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Database, databasePath, openDatabase } from "../../src/store/db.ts";
import { openStore, type StoredAlert, storeOf } from "../../src/store/queries.ts";

/** All tables of a state as text. */
export function dump(dir: string): string {
  const db = openDatabase(dir);
  try {
    const names = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as {
      name: string;
    }[];
    const tables = names.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()]);
    return JSON.stringify(tables);
  } finally {
    db.close();
  }
}

/** A state with something in every table that a watch fills. */
export function fill(dir: string): void {
  const db = openDatabase(dir);
  const store = storeOf(db, databasePath(dir));
  store.saveModel({ id: "m1", createdAt: 5, header: { a: 1 }, blob: bytes(90_000) }, { warm: bytes(5000) });
  store.live.commit({
    inputs: [{ tick: 7 }],
    positions: new Map([["/var/log/mail.log", { kind: "file", byte: 12 }]]),
    alerts: [{ id: "aaaa", opened_at: "2026-09-21T01:00:00.000Z", title: "\u001b[31m" } as StoredAlert],
    days: new Map([["2026-09-21", { lines: 5 }]]),
    templates: [{ id: "t", text: "new one", firstAt: 5, lines: 1 }],
    notifications: [{ key: "alert:aaaa:opened", payload: { type: "test" }, channels: ["mail", "hook"] }],
    checkpoint: { model: "m1", logTime: 6, blob: bytes(40_000) },
    now: 9,
  });
  store.live.commit({
    ...{ inputs: [{ tick: 8 }], positions: new Map(), alerts: [], days: new Map(), templates: [] },
    ...{ notifications: [], now: 10 },
  });
  store.outbox.setMark("watch.alive", "2026-09-21T01:00:00.000Z");
  db.close();
}

/** Bytes that don't pack well, always the same. */
function bytes(n: number): Uint8Array {
  const out = new Uint8Array(n);
  for (let i = 0, x = 1; i < n; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    out[i] = x >>> 16;
  }
  return out;
}

/** A backup taken apart and put together again, with another manifest or another database. */
export function remade(
  backup: Buffer,
  change: (manifest: Record<string, unknown>, database: Buffer) => Buffer | undefined,
): Buffer {
  const whole = gunzipSync(backup);
  const end = whole.indexOf(10);
  const manifest = JSON.parse(whole.subarray(0, end).toString()) as Record<string, unknown>;
  const database = whole.subarray(end + 1);
  const changed = change(manifest, database) ?? database;
  return gzipSync(Buffer.concat([Buffer.from(`${JSON.stringify(manifest)}\n`), changed]));
}

export const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Works on an open state. */
export function withState<T>(dir: string, use: (db: Database) => T): T {
  const db = openDatabase(dir);
  try {
    return use(db);
  } finally {
    db.close();
  }
}

export const alertIds = (dir: string): string[] => {
  const store = openStore(dir);
  try {
    return store.listAlerts(100).map(({ id }) => id);
  } finally {
    store.close();
  }
};
