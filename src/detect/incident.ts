import { DAY_MS } from "../feature/clock.ts";
import { hash64 } from "../math/hash.ts";
import { ALWAYS, type Alert, type CitedLine, isGrave, type Suppressed } from "./alert.ts";
import { AlertBudget, type BudgetOptions, type SavedBudget } from "./budget.ts";
import { type Candidate, isOfSlowness } from "./candidate.ts";
import { isKin, isSure, saysMore } from "./kinship.ts";
import { grow, note } from "./parts.ts";
import {
  follows,
  hiderOf,
  isOfSameLines,
  mayComeOf,
  NO_RULES,
  outgrown,
  type Rules,
  VAGUE,
  wereTogether,
  within,
} from "./rules.ts";
import { graver, severityOf } from "./severity.ts";
import { weightOf } from "./waiting.ts";

/**
 * From candidates to incidents, and from incidents to what the budget admits. Everything is decided when it happens: what
 * an alert says at its opening is never changed by what came later.
 */

/** What starts so soon after an opening is the same incident. */
const CASCADE_MS = 20 * 60_000;
/** An incident without new evidence for so long is over. */
const IDLE_MS = 2 * 3_600_000;
/** In one family, something not yet covered may open an incident of its own after so long, if it is far rarer. */
const SAME_FAMILY_MS = 90 * 60_000;
const SAME_FAMILY_RARER = 1e-4;
/** Another family opens its own incident beside an open one if it is this much rarer than the bar. */
const OTHER_FAMILY_RARER = 1 / 20;
/** Share of the evidence that must lie after the last incident of the family: an old burst in a long window is no news. */
const FRESH_SHARE = 0.7;
/** Share of a candidate's evidence that must lie within the idle time for it to keep its incident open. */
const ALIVE_SHARE = 0.3;
const MAX_LINES = 5;
const MAX_UPDATES = 10;
/** Keys that an incident covers; the oldest leave, where an attack goes on for weeks. */
const MAX_KEYS = 4096;

type Incident = {
  readonly alert: Alert;
  readonly family: Candidate["family"];
  /** What opened it; its lines make the total, once a moment, so that overlapping windows count nothing twice. */
  readonly key: string;
  countedAt: number;
  readonly keys: Set<string>;
  /** Families of all that joined it. */
  readonly families: Set<Candidate["family"]>;
  lastActivity: number;
};

/**
 * The ledger: each candidate counts once, so the sum of all is the number of candidates. suppressed, planned: those that would have opened
 * and were kept from it by feedback or by the calendar. joined: evidence of an incident, told or not, that was there already.
 */
export type Ledger = {
  opened: number;
  held: number;
  suppressed: number;
  planned: number;
  joined: number;
  belowBar: number;
};
const noLedger = (): Ledger => ({ opened: 0, held: 0, suppressed: 0, planned: 0, joined: 0, belowBar: 0 });

export type SavedIncidents = SavedBudget & {
  readonly ledger: Ledger;
  readonly open: Incident[];
  readonly lastOf: Map<string, number>;
  /** Absent in states of before there were any. */
  readonly rules?: Rules;
};

export class IncidentManager {
  readonly ledger: Ledger = noLedger();
  readonly #budget: AlertBudget;
  #open: Incident[] = [];
  /** Last activity of each family's incidents, also of closed ones. */
  #lastOf = new Map<string, number>();
  #rules: Rules = NO_RULES;

  constructor(options: BudgetOptions) {
    this.#budget = new AlertBudget(options);
  }

  save(): SavedIncidents {
    return {
      ledger: this.ledger,
      open: this.#open,
      lastOf: this.#lastOf,
      ...this.#budget.save(),
      rules: this.#rules,
    };
  }

  load({ ledger, open, lastOf, rules = NO_RULES, ...budget }: SavedIncidents): void {
    Object.assign(this.ledger, ledger);
    this.#open = open.map(complete);
    this.#rules = rules;
    this.#lastOf = lastOf;
    this.#budget.load(budget);
  }

  /** Alerts that may still change: `end`, `updates`, `total`, and `closedAt` when they close. */
  get open(): readonly Alert[] {
    return this.#open.map(({ alert }) => alert);
  }

  /** The natural rate a day below which a candidate counts. */
  get bar(): number {
    return this.#budget.bar;
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** What the operator has said, from the next candidate on. */
  obey(rules: Rules): void {
    this.#rules = rules;
  }

  /**
   * What keeps a candidate from being told; undefined when nothing does. again: log time in ms at which something that lasts is to be
   * offered again: when that is over, or it has lasted clearly longer than what was called harmless.
   */
  hiderOf(candidate: Candidate): { readonly by: Suppressed; readonly again: number } | undefined {
    const { at, start } = candidate;
    const hider = hiderOf(candidate, this.#rules);
    if (hider) {
      const { by, until } = hider;
      return { by, again: by.by === "calendar" ? until : Math.min(until, at + 2 * (at - start)) };
    }
    if (outgrown(candidate, this.#rules)) return undefined;
    const leading = this.#open.find((incident) => this.#leads(incident, candidate));
    return leading && { by: leading.alert.suppressed!, again: at + IDLE_MS };
  }

  /**
   * Whether a candidate is a consequence of an incident that feedback hides. Of what is grave only the like of the first time is, told then
   * in the same alert or in one beside it.
   */
  #leads({ alert, lastActivity }: Incident, c: Candidate): boolean {
    const { suppressed } = alert;
    if (suppressed?.by !== "feedback") return false;
    const { feedback } = this.#rules;
    const rule = feedback.find(({ id }) => id === suppressed.rule);
    if (rule === undefined) return false;
    if (feedback.some((one) => (one === rule || wereTogether(one, rule)) && follows(one, c))) return true;
    if (isGrave(c.kind) || c.at - lastActivity > CASCADE_MS || !within(rule, c)) return false;
    return mayComeOf(rule, c) || c.rate >= this.bar * OTHER_FAMILY_RARER;
  }

  /** Closes what has been quiet for long. offer() does it too, so that once a slot and at the end of the log is enough. */
  tick(now: number): void {
    if (!this.#open.some((i) => now - i.lastActivity > IDLE_MS)) return;
    for (const { alert, families, lastActivity } of this.#open) {
      if (now - lastActivity <= IDLE_MS) continue;
      alert.closedAt = lastActivity + IDLE_MS;
      if (!alert.held) continue;
      // What was not told casts a shadow once it is over; before, that would hide what is beside it.
      for (const family of families)
        if (!(this.#lastOf.get(family)! > lastActivity)) this.#lastOf.set(family, lastActivity);
    }
    this.#open = this.#open.filter((i) => now - i.lastActivity <= IDLE_MS);
  }

  /**
   * How large the parts of open incidents are, whoever told of them: of columns that count much the same lines a view offers the strangest
   * alone. surplus: of the newest hour by a part's key, undefined where it is not known.
   */
  measure(surplus: (key: string) => number | undefined): void {
    for (const { alert } of this.#open)
      for (const part of alert.parts) {
        const size = surplus(part.key);
        if (size !== undefined && size > part.size) grow(part, size, 60);
      }
  }

  /** Takes note of findings above the bar at `at`, in ms, as offer() does of candidates. */
  pass(findings: number, at: number): void {
    if (findings === 0) return;
    this.tick(at);
    this.ledger.belowBar += findings;
  }

  /** Takes the candidates of one moment, the rarest first. Returns the alerts that open (held ones too, marked). */
  offer(candidates: readonly Candidate[]): Alert[] {
    const opened: Alert[] = [];
    for (const candidate of this.#inOrder(candidates)) {
      this.tick(candidate.at);
      if (candidate.rate > this.bar && !isOwnAlarm(candidate)) {
        this.ledger.belowBar += weightOf(candidate);
        continue;
      }
      const hider = this.hiderOf(candidate)?.by;
      const home = hider ? this.#homeOfHidden(candidate, hider) : this.#homeOf(candidate);
      if (home) this.#join(home, candidate);
      else if (candidate.rate > this.#budget.barAt(candidate.at) && !isOwnAlarm(candidate))
        this.ledger.belowBar += weightOf(candidate);
      else if (this.#isNews(candidate)) opened.push(this.#start(candidate, hider));
      else this.ledger.joined += weightOf(candidate); // the shadow of an incident that is over
    }
    return opened;
  }

  /** The rarest first; but before all what is hidden by what it is, so that what goes with it does not open first. */
  #inOrder(candidates: readonly Candidate[]): Candidate[] {
    const rarest = [...candidates].sort((a, b) => a.rate - b.rate || (a.key < b.key ? -1 : 1));
    if (this.#rules.feedback.length === 0) return rarest;
    const hidden = new Set(rarest.filter((c) => hiderOf(c, this.#rules)));
    return [...hidden, ...rarest.filter((c) => !hidden.has(c))];
  }

  /**
   * Where a candidate belongs that is not told: to the incident that was told of it, or to those that the same rule hides. An incident that
   * is hidden takes in nothing else, so that it hides nothing else.
   */
  #homeOfHidden(candidate: Candidate, { by, rule }: Suppressed): Incident | undefined {
    const told = this.#open.find((i) => !i.alert.suppressed && i.keys.has(candidate.key));
    return (
      told ?? this.#open.find(({ alert }) => alert.suppressed?.by === by && alert.suppressed.rule === rule)
    );
  }

  /** The open incident that this candidate belongs to; undefined when it is one of its own. */
  #homeOf(candidate: Candidate): Incident | undefined {
    const { at, family, rate } = candidate;
    const told = this.#open.filter(
      ({ alert }) => !alert.suppressed && !(alert.held && this.#mayBeTold(candidate)),
    );
    const covering = told.find((i) => i.keys.has(candidate.key));
    if (covering) return covering;
    // A change is no fault: it takes in nothing but other changes, and belongs to none.
    if (family === "change") return told.filter((i) => i.family === family).at(-1);
    const visible = told.filter((i) => i.family !== "change");
    const alike = visible.find(
      ({ alert }) => alert.kind === candidate.kind && isOfSameLines(alert.parts, candidate),
    );
    if (alike) return alike;
    const kin = visible.find((one) => isKin(one, candidate));
    if (kin) return kin;
    // A program that falls silent while something is wrong is its consequence, not a second fault.
    const isSilence = candidate.view === "absence";
    if (candidate.kind === "service_stopped" && isSilence && visible.length > 0) return visible.at(-1);
    // So is slowness of what else is wrong with the mail; a wrong password slows nobody.
    const cause = isOfSlowness(candidate) && visible.filter((i) => i.family !== "auth").at(-1);
    if (cause) return cause;
    // that one is stopped, as those tell that ask it, is a consequence like others
    const grave = ALWAYS.has(candidate.kind) && (candidate.kind !== "service_stopped" || isSilence);
    const open = visible.filter((i) => !grave || i.alert.kind === candidate.kind);
    const young = open.filter((i) => at - i.alert.openedAt <= CASCADE_MS).at(-1);
    if (young && !this.#outshines(candidate, young)) return young;
    const same = open.filter((i) => i.family === family).at(-1);
    if (same) {
      const apart = at - same.alert.openedAt >= SAME_FAMILY_MS && rate < this.bar * SAME_FAMILY_RARER;
      return apart || this.#outshines(candidate, same) ? undefined : same;
    }
    const other = open.at(-1);
    if (other && (family === "total" || rate >= this.bar * OTHER_FAMILY_RARER)) return other;
    return undefined;
  }

  /**
   * Whether a candidate may be told now, so that it must not disappear in an incident that is held back: the budget never holds it back, or it goes
   * on by evidence of a day of which the budget is not spent. Else nobody would hear of a fault that began in the evening of a bad day.
   */
  #mayBeTold({ at, kind, rate, shareSince }: Candidate): boolean {
    if (ALWAYS.has(kind)) return true;
    if (!this.#budget.hasRoom(at)) return false;
    return rate <= this.#budget.barAt(at) && shareSince(this.#budget.midnight(at)) >= FRESH_SHARE;
  }

  /** A faint alert hides no clearer fault of another family and kind, however soon that follows; nor one that says what a symptom does not. */
  #outshines(candidate: Candidate, { alert, family: other }: Incident): boolean {
    const { family, kind, rate } = candidate;
    if (alert.severity !== "low" || family === "total" || kind === alert.kind) return false;
    if (family === other && !saysMore(alert, candidate)) return false;
    return rate < this.bar * OTHER_FAMILY_RARER;
  }

  #isNews(candidate: Candidate): boolean {
    const last = this.#lastOf.get(candidate.family);
    return last === undefined || candidate.at - last > DAY_MS || candidate.shareSince(last) >= FRESH_SHARE;
  }

  #join(incident: Incident, candidate: Candidate): void {
    this.ledger.joined += weightOf(candidate);
    const isNew = !incident.keys.has(candidate.key);
    incident.keys.add(candidate.key);
    if (incident.keys.size > MAX_KEYS) incident.keys.delete(incident.keys.values().next().value!);
    note(incident.alert, candidate);
    // The tail of a day-long count keeps no incident open: what counts is what happened lately. Nor do consequences of what is hidden.
    if (candidate.shareSince(candidate.at - IDLE_MS) < ALIVE_SHARE) return;
    incident.families.add(candidate.family);
    if (incident.alert.suppressed && !hiderOf(candidate, this.#rules)) return;
    incident.lastActivity = candidate.at;
    incident.alert.end = candidate.at;
    incident.alert.total.events += weightOf(candidate);
    if (candidate.key === incident.key && candidate.at > incident.countedAt) {
      incident.alert.total.lines += candidate.fresh;
      incident.countedAt = candidate.at;
    }
    if (incident.alert.held) return;
    this.#lastOf.set(incident.family, candidate.at);
    this.#lastOf.set(candidate.family, candidate.at);
    this.#update(incident, candidate, isNew);
  }

  /**
   * Says what an open alert did not: a further change, or what is as rare as an incident of its own would be and of another kind, or graver than
   * all before; that not oftener than once in a while.
   */
  #update({ alert }: Incident, c: Candidate, isNew: boolean): void {
    const { updates } = alert;
    if (updates.length >= MAX_UPDATES) return;
    const before = updates.reduce((worst, u) => graver(worst, u.severity), alert.severity);
    const severity = graver(before, severityOf(c));
    const { at, title } = c;
    if (c.family === "change") {
      if (isNew) updates.push({ at, severity: alert.severity, title });
      return;
    }
    const isNews = c.kind !== alert.kind || (isNew && severity !== before);
    const isClear = c.rate < this.bar * SAME_FAMILY_RARER && isSure(c);
    if (!isNews || !isClear || updates.some((u) => u.title === title)) return;
    if ([alert.openedAt, ...updates.map((u) => u.at)].every((time) => at - time > CASCADE_MS))
      updates.push({ at, severity, title });
  }

  /** Ends the incident that the budget held back and that is told now. */
  #takeHeld(c: Candidate): Alert | undefined {
    const incident = this.#open.find(({ alert, keys }) => alert.held && !alert.suppressed && keys.has(c.key));
    if (incident === undefined) return undefined;
    incident.alert.closedAt = c.at;
    this.#open = this.#open.filter((one) => one !== incident);
    return incident.alert;
  }

  #start(c: Candidate, hider: Suppressed | undefined): Alert {
    const always = ALWAYS.has(c.kind);
    if (hider) this.ledger[hider.by === "feedback" ? "suppressed" : "planned"]++;
    const told = hider === undefined && (always || this.#budget.spend(c.at, c.key, VAGUE.has(c.kind)));
    const held = !told;
    if (hider === undefined) this.ledger[told ? "opened" : "held"]++;
    this.ledger.joined += weightOf(c) - 1;
    const before = held ? undefined : this.#takeHeld(c);
    const alert: Alert = {
      id: hash64(`${c.at} ${c.view} ${c.key} ${c.lines[0]?.text ?? ""}`).slice(0, 12),
      openedAt: c.at,
      closedAt: null,
      start: c.start,
      end: c.at,
      severity: severityOf(c),
      class: always ? "always" : "budget",
      held,
      ...(hider && { suppressed: hider }),
      pValue: c.pValue,
      view: c.view,
      kind: c.kind,
      kindConfidence: c.kindConfidence,
      title: c.title,
      summary: hider ? c.summary : `${c.summary}${saidBefore(c, this.#rules)}${heldBefore(before)}`,
      entities: c.entities,
      templates: c.templates,
      measures: [c.measure],
      lines: c.lines.slice(0, MAX_LINES) as CitedLine[],
      updates: [],
      total: { lines: c.fresh, events: weightOf(c) },
      parts: [],
    };
    note(alert, c);
    this.#open.push({
      alert,
      family: c.family,
      key: c.key,
      countedAt: c.at,
      keys: new Set([c.key]),
      families: new Set([c.family]),
      lastActivity: c.at,
    });
    if (!held) this.#lastOf.set(c.family, c.at);
    return alert;
  }
}

/** That what is told was there before. */
const heldBefore = (alert: Alert | undefined): string =>
  alert
    ? ` It goes on since ${new Date(alert.openedAt).toISOString()}; the budget of that day held it back.`
    : "";

/** Incidents of states of before there was feedback. */
function complete(incident: Incident): Incident {
  if (!incident.alert.parts) Object.assign(incident.alert, { parts: [] });
  return incident.families ? incident : { ...incident, families: new Set([incident.family]) };
}

/** Why something is told that was said to be harmless. */
function saidBefore(c: Candidate, rules: Rules): string {
  const rule = outgrown(c, rules);
  return rule ? ` The like was called harmless (feedback ${rule.id}); this is clearly more.` : "";
}

/**
 * Whether a candidate needs no rarity: its view saw the fault itself, a line that says "no space" or a silence. What a
 * window or an entity shows is only named by its surroundings, so it must be rare like any other.
 */
const SURE = 0.9;
const isOwnAlarm = (c: Candidate): boolean =>
  ALWAYS.has(c.kind) && c.kindConfidence >= SURE && (c.view === "novelty" || c.view === "absence");
