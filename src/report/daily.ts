import type { DayFigures, Range, Summary } from "../mail/summary.ts";
import type { StoredAlert } from "../store/queries.ts";

/** The daily report as data: what one day at one server was like. JSON; addresses stand in it as in the log. */
export type DailyReport = {
  /** The server's name, as its operator set it. */
  readonly server: string;
  /** YYYY-MM-DD in `timezone`. */
  readonly day: string;
  readonly timezone: string;
  /** When the day began and when it ended or will end, ISO 8601: 23 or 25 hours where clocks change. */
  readonly from: string;
  readonly to: string;
  /** ISO 8601. Before `to` where the day was not over yet. */
  readonly made_at: string;
  /** Incidents that opened on the day, and those of days before that were still open on it; by opened_at. */
  readonly alerts: readonly StoredAlert[];
  /** Incidents beyond those listed. */
  readonly more_alerts: number;
  /** What the budget held back on the day. */
  readonly held: readonly StoredAlert[];
  /** What was not told on the day because of feedback or the calendar; absent in reports of before there were any. */
  readonly suppressed?: readonly StoredAlert[];
  readonly budget: {
    readonly per_day: number;
    /** Of the day. The sum of all but per_day is all candidates; the last two are null for a day without a ledger. */
    readonly opened: number;
    readonly held: number;
    /** By feedback, and by the calendar. */
    readonly suppressed?: number;
    readonly planned?: number;
    readonly joined: number | null;
    readonly below_bar: number | null;
  };
  readonly new_templates: readonly ReportTemplate[];
  /** New templates beyond those listed. */
  readonly more_new_templates: number;
  /** Mail figures of the day; null where no log of the day could be read. */
  readonly summary: Summary | null;
  /** What the figures lack, in a sentence: nobody keeps what comes over the network alone. Null where they are of all that was watched. */
  readonly figures_lack: string | null;
  /** Usual ranges of the totals by name: 10th to 90th percentile of days of the same kind. Empty while the day is not over. */
  readonly usual: Readonly<Record<string, Range>>;
  /** Figures of the days before, oldest first, for the charts. */
  readonly before: readonly DayFigures[];
  readonly health: ReportHealth;
};

export type ReportTemplate = {
  readonly id: string;
  readonly text: string;
  /** ISO 8601. */
  readonly first_at: string;
  readonly lines: number;
};

/** How Logvane itself is. */
export type ReportHealth = {
  readonly release: string;
  /** Null before the first training. Times ISO 8601. */
  readonly model: { readonly id: string; readonly from: string; readonly to: string } | null;
  /** Whether lines of the day were watched as they came (the ledger of the day says so). */
  readonly watched: boolean;
  /** A training of the day, in a sentence; null where there was none. */
  readonly retrained: string | null;
  /** Lines of the day: all, those not understood, those without a readable time, those lost (rotated away or dropped unread). */
  readonly lines: number;
  readonly unknown: number;
  readonly bad_envelope: number;
  readonly lost: number;
  /** Notifications that wait, and that were given up since the day began. */
  readonly waiting: number;
  readonly given_up: number;
  /** Megabytes of the state folder. */
  readonly state_mb: number;
  /** What the operator should know or do, a sentence each. */
  readonly notes: readonly string[];
};
