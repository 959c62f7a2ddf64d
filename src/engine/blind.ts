import type { AlertRecord, Suppressed } from "../detect/alert.ts";
import { hash64 } from "../math/hash.ts";
import type { Told } from "./engine.ts";

/** A source that can't be read for so long is told: rotation and restarts take seconds. In ms. */
const PATIENCE_MS = 5 * 60_000;

/** What is wrong with a source, in words; undefined when nothing is. */
export type Trouble = {
  readonly source: string;
  /** "cannot read /var/log/mail.log: permission denied (EACCES)" */
  readonly what: string;
  readonly remedy: string;
};

/** told: as it was told. hidden: as it is kept while feedback or the calendar keeps it from being told. */
type Blindness = {
  readonly since: number;
  told?: AlertRecord | undefined;
  hidden?: AlertRecord | undefined;
};

/**
 * Alerts of kind `blind`: Logvane itself can't see. They are of class `always`, depend on the system's clock alone, and open
 * once for each time that a source is in trouble.
 */
export class BlindWatch {
  readonly #troubled: Map<string, Blindness>;

  /** saved: by an earlier process, or "". */
  constructor(saved: string) {
    this.#troubled = new Map(saved === "" ? [] : (JSON.parse(saved) as [string, Blindness][]));
  }

  /** Whether anything can't be seen now: then silence means nothing. */
  get blind(): boolean {
    return this.#troubled.size > 0;
  }

  /** JSON; what is in trouble now, so that a restart tells nothing twice. */
  save(): string {
    return JSON.stringify([...this.#troubled]);
  }

  /**
   * troubles: of all sources now. now: the system's time in ms. hiderOf: what keeps the blindness of a source from being told. Returns
   * what opened and closed.
   */
  look(
    troubles: readonly Trouble[],
    now: number,
    hiderOf: (source: string) => Suppressed | undefined = () => undefined,
  ): Told[] {
    const told: Told[] = [];
    for (const trouble of troubles) {
      let known = this.#troubled.get(trouble.source);
      if (!known || (known.since > now && !known.told)) {
        known = { since: now }; // or the clock was set back
        this.#troubled.set(trouble.source, known);
      }
      if (known.told || now - known.since < PATIENCE_MS) continue;
      const suppressed = hiderOf(trouble.source);
      if (suppressed) {
        if (known.hidden) continue;
        known.hidden = { ...blindRecord(trouble, known.since, now), held: true, suppressed };
        told.push({ event: "opened", alert: known.hidden });
        continue;
      }
      known.told = blindRecord(trouble, known.since, now);
      told.push({ event: "opened", alert: known.told });
    }
    for (const [source, { told: shown, hidden }] of this.#troubled) {
      const record = shown ?? hidden;
      if (troubles.some((t) => t.source === source)) continue;
      this.#troubled.delete(source);
      if (record) told.push({ event: "closed", alert: closedRecord(record, now) });
    }
    return told;
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

const closedRecord = (record: AlertRecord, now: number): AlertRecord => ({
  ...record,
  end: iso(now),
  closed_at: iso(now),
});

function blindRecord({ source, what, remedy }: Trouble, since: number, now: number): AlertRecord {
  const minutes = Math.round((now - since) / 60_000);
  return {
    id: hash64(`blind ${source} ${since}`).slice(0, 12),
    opened_at: iso(now),
    closed_at: null,
    start: iso(since),
    end: iso(now),
    severity: "critical",
    class: "always",
    held: false,
    p_value: 1e-9, // no chance: it was seen
    view: "absence",
    kind: "blind",
    kind_confidence: 1,
    title: `Logvane can't see: ${what}`,
    summary: `For ${minutes} minutes no line of this source could be read, so nothing that happens there is noticed. ${remedy}`,
    entities: [{ type: "source", value: source }],
    templates: [],
    measures: [{ name: "minutes without sight", actual: minutes, typical_low: 0, typical_high: 0 }],
    lines: [],
    updates: [],
    total: { lines: 0, events: 1 },
  };
}
