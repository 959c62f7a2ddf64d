import { KIND_TITLES } from "../detect/explain.ts";
import type { Scope } from "../detect/rules.ts";
import { Fault } from "../fault.ts";
import { alertFromRecord } from "../report/record.ts";
import type { Store, StoredAlert } from "../store/queries.ts";
import { onlySnoozed, type Saying, type Verdict } from "../store/rules.ts";

/** What it means when an operator judges an alert, whether by a command or by a link of a mail. */

/** What to type, before an alert's id. */
export const HARMLESS = "logvane feedback";

const DAY_MS = 86_400_000;
/** How long feedback holds unless it is said: after a season a thing may have got another reason. In ms. */
const USUAL_MS = { benign: 90 * DAY_MS, snooze: DAY_MS } as const;
/** A year, and a week for what the budget never holds back. */
const LONGEST_MS = 365 * DAY_MS;
const LONGEST_GRAVE_MS = 7 * DAY_MS;
const NOTE = 500;

export type Judgement = {
  readonly verdict: Verdict;
  readonly scope: Scope;
  /** In ms; as long as usual when undefined. */
  readonly forMs?: number | undefined;
  readonly note: string;
};

/** The feedback on a saved alert, by the log time of the state. Throws Fault: usage, or badData for a damaged alert. */
export function sayingOn(store: Store, record: StoredAlert, judgement: Judgement): Saying {
  const alert = alertFromRecord(record);
  const { id, kind, severity, title, entities, templates, start, end, parts } = alert;
  const { verdict, scope, note } = judgement;
  const saidAt = Math.max(store.rules.logTime() ?? alert.openedAt, alert.openedAt);
  return {
    ...{ verdict, scope, saidAt },
    until: verdict === "incident" ? undefined : saidAt + lastingMs(alert.kind, judgement),
    note: note.slice(0, NOTE),
    about: { id, kind, severity, title, entities, templates, start, end, parts: fullParts(parts, alert) },
  };
}

/** Of an alert that an earlier release kept, at least what it opened with. */
const fullParts = (
  parts: Saying["about"]["parts"],
  { kind, measures, total }: ReturnType<typeof alertFromRecord>,
): Saying["about"]["parts"] => {
  const [measure] = measures;
  if (parts.length > 0 || measure === undefined) return parts;
  return [
    {
      key: "",
      kinds: [kind],
      templates: [],
      name: measure.name,
      size: Math.max(measure.actual || 0, total.lines),
    },
  ];
};

function lastingMs(kind: Saying["about"]["kind"], { verdict, scope, forMs }: Judgement): number {
  const grave = onlySnoozed(kind);
  if (verdict === "benign" && grave)
    throw new Fault(
      "usage",
      `"${KIND_TITLES[kind]}" (${kind}) is of the kinds that are always told, so it can't be called harmless for months`,
      `feedback benign, --scope ${scope}`,
      "nothing was kept",
      "leave it alone for a while: logvane feedback ID snooze --for 1d (at most 7d)",
    );
  const asked = forMs ?? USUAL_MS[verdict === "benign" ? "benign" : "snooze"];
  const longest = grave ? LONGEST_GRAVE_MS : LONGEST_MS;
  if (asked > longest)
    throw new Fault(
      "usage",
      grave ? `${kind} is always told; it can be left alone for 7 days at most` : "that is more than a year",
      "--for",
      "nothing was kept",
      `type: --for ${longest / DAY_MS}d, or less`,
    );
  return asked;
}

const WORDS: Readonly<Record<Verdict, string>> = {
  benign: "is harmless",
  incident: "was an incident",
  snooze: "is left alone",
};
const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  this: "this, when it comes again",
  entity: "the same kind at any of the same accounts, hosts or programs",
  template: "all that shows in the same messages alone",
  all: "everything of this kind",
};

/** One sentence: what holds now, and how long. until: in words. */
export function sayingText({ verdict, scope, about }: Saying, until: string): string {
  if (verdict === "incident")
    return "It was an incident: its time is left out of every training, and it is kept as a case to test new models by.";
  const grave = onlySnoozed(about.kind)
    ? ` It is of the kinds that are always told: it is, again, from then on.`
    : "";
  return `${capital(SCOPE_WORDS[scope])} (${about.kind}) ${WORDS[verdict]} until ${until} by the log's time; what is clearly larger is told all the same.${grave}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
