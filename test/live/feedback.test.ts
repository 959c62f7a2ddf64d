import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openStore, type StoredAlert } from "../../src/store/queries.ts";
import { program } from "../e2e/support.ts";
import { Daemon, until, writeSettings } from "./daemon.ts";
import { composedLog } from "./log.ts";

/** A running watch hears what is said of its alerts, and knows it still after it was killed. */

const HOUR_MS = 3_600_000;
const PAST_DAYS = 5;
/** For what takes a second on an idle machine. */
const PATIENCE_MS = 120_000;

const dir = mkdtempSync(join(tmpdir(), "logvane-said-"));
const pathOf = (name: string): string => join(dir, name);
const [LOG, TOLD, STATE] = [pathOf("mail.log"), pathOf("told"), pathOf("state")];
const CONFIG = writeSettings(pathOf("c.toml"), LOG, TOLD);
const logvane = (...args: string[]): ReturnType<typeof program> =>
  program("bin/logvane.js", [...args, "--state", STATE, "--quiet"]);

/** The log of days in the past, and of the day that ends now: an attack in its first hours, and again six hours later. */
function log(): { past: string; first: string; second: string } {
  const attack = (hour: number) => ["sasl_bruteforce_fast", hour] as const;
  const { past, today, cut } = composedLog(Date.now(), PAST_DAYS, 300, [attack(3), attack(9)]);
  const between = new Date(cut + 8 * HOUR_MS).toISOString();
  const first = today.filter((line) => line < between);
  return { past, first: first.join(""), second: today.slice(first.length).join("") };
}

function fromStore<T>(ask: (store: ReturnType<typeof openStore>) => T): T {
  const store = openStore(STATE);
  try {
    return ask(store);
  } finally {
    store.close();
  }
}
const alerts = (): StoredAlert[] => fromStore((store) => store.listAlerts(100));
const suppressed = (): StoredAlert[] => alerts().filter((a) => a["suppressed"] !== undefined);
type Told = { readonly id: string; readonly kind: string };
const told = (): Told[] =>
  (existsSync(TOLD) ? readFileSync(TOLD, "utf8") : "")
    .split("\n")
    .filter((line) => line.includes('"opened"'))
    .map((line) => (JSON.parse(line) as { alert: Told }).alert);
const inputs = (): string => JSON.stringify(fromStore((store) => store.live.inputs()));

suite("feedback while a watch runs", () => {
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("acts at once, and after a kill as before", { timeout: 600_000 }, async () => {
    const { past, first, second } = log();
    writeFileSync(pathOf("past.log"), past);
    const trained = await logvane("train", pathOf("past.log"), "--timezone", "UTC");
    assert.equal(trained.status, 0, trained.stderr);
    writeFileSync(LOG, "");
    let daemon = new Daemon(CONFIG, STATE);
    try {
      appendFileSync(LOG, first);
      const lines = first.split("\n").length - 1;
      await until(
        "the first lines",
        PATIENCE_MS,
        () =>
          fromStore(
            (store) => [...store.live.days().values()].reduce((sum, day) => sum + day.lines, 0) >= lines,
          ) || undefined,
      );
      const before = alerts().filter((a) => a["held"] !== true);
      const said = new Set(before.map(({ kind }) => String(kind)));
      assert.ok(said.has("bruteforce"), [...said].join());
      for (const { id } of alerts()) {
        const { status, stderr } = await logvane("feedback", id, "benign", "--for", "30d");
        assert.equal(status, 0, stderr);
      }
      await until(
        "the watch to hear it",
        PATIENCE_MS,
        () => inputs().includes('"rules":{"feedback":[{') || undefined,
      );
      daemon.signal("SIGKILL");
      await daemon.end();
      daemon = new Daemon(CONFIG, STATE);
      appendFileSync(LOG, second);
      await until("the second attack", PATIENCE_MS, () => (suppressed().length > 0 ? true : undefined));
      assert.equal(await daemon.end("SIGTERM"), 0, daemon.said);
      // of the attack; a day that begins at another hour each time may hold something else that is told
      const known = new Set(before.map(({ id }) => id));
      const more = told().filter(({ id, kind }) => !known.has(id) && said.has(kind));
      assert.deepEqual(more, [], "nothing more is told");
      const counts = fromStore((store) => [...store.live.days().values()]);
      assert.equal(
        counts.reduce((sum, day) => sum + day.suppressed, 0),
        suppressed().length,
      );
    } finally {
      daemon.signal("SIGKILL");
    }
  });
});
