import type { ChannelConfig } from "../config/config.ts";
import { channelsFor } from "../deliver/route.ts";
import type { Engine, Told } from "../engine/engine.ts";
import { Fault } from "../fault.ts";
import { type Notification, notificationKey } from "../report/notification.ts";
import type { Follower } from "../source/follow.ts";
import type { Position } from "../source/position.ts";
import type { Effects, Telling } from "../store/live.ts";
import type { Store } from "../store/queries.ts";
import { makeReserve, spendReserve } from "../store/retention.ts";
import { pausedFault } from "./paused.ts";

/** Incidents that opened so long before they were found are kept for the report and not sent: the mail would be history. */
const STALE_MS = 48 * 3_600_000;

export type CommitterParts = {
  readonly store: Store;
  readonly engine: Engine;
  readonly follower: Pick<Follower, "committed">;
  readonly channels: readonly ChannelConfig[];
  readonly stateDir: string;
  readonly now: () => number;
  /** Called with what happened to incidents, before it is written. */
  readonly told?: (told: readonly Told[]) => void;
  /** Told once of each trouble that keeps things from being written. */
  readonly fault: (fault: Fault) => void;
};

/**
 * Writes what the engine gives out: all of it in one transaction, or, where the state can't be written, again later. Until
 * then nothing more may be read, so nothing is lost: the lines stay in the logs.
 */
export class Committer {
  readonly #parts: CommitterParts;
  #pending: Effects | undefined;
  #complained = "";
  /** Of what others than the engine have to tell. */
  #more: Told[] = [];

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    makeReserve(parts.stateDir);
  }

  /** Whether something could not be written yet. */
  get stuck(): boolean {
    return this.#pending !== undefined;
  }

  /** What is told with the next commit, beside what the engine has. */
  tell(told: readonly Told[]): void {
    this.#more.push(...told);
  }

  /** checkpoint: writes the engine's state, too. Returns whether all is written. */
  commit(checkpoint: boolean): boolean {
    const { store, follower, stateDir } = this.#parts;
    this.#pending ??= this.#effects(checkpoint);
    if (isEmpty(this.#pending)) {
      this.#pending = undefined;
      return true;
    }
    const effects = this.#pending;
    if (!this.#tried(() => store.live.commit(effects), true)) return false;
    if (this.#pending.checkpoint) {
      follower.committed(store.live.positions() as Map<string, Position>);
      makeReserve(stateDir);
    }
    this.#pending = undefined;
    this.#complained = "";
    return true;
  }

  /** Writes marks by their names, unless what came before them waits. Returns whether they are written. */
  mark(marks: ReadonlyMap<string, string>): boolean {
    const { outbox } = this.#parts.store;
    if (this.stuck) return false;
    if (marks.size === 0) return true;
    const write = (): void => {
      for (const [name, value] of marks) outbox.setMark(name, value);
    };
    if (!this.#tried(write, false)) return false;
    this.#complained = "";
    return true;
  }

  /** reserve: the disk may be full, and what the reserve gives back lets at least the alert about it be written. */
  #tried(write: () => void, reserve: boolean): boolean {
    const { stateDir, fault } = this.#parts;
    try {
      write();
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.message !== this.#complained) {
        this.#complained = error.message;
        fault(
          pausedFault(
            error,
            "reading pauses until this can be written; nothing is lost while the logs are kept",
          ),
        );
      }
      return reserve && spendReserve(stateDir) && this.#tried(write, true);
    }
  }

  #effects(checkpoint: boolean): Effects {
    const { engine, now } = this.#parts;
    const { told, ...drained } = engine.drain();
    const more = this.#more;
    this.#more = [];
    this.#parts.told?.([...told, ...more]);
    const fresh = told.filter(({ alert }) => now() - Date.parse(alert.opened_at) < STALE_MS);
    return {
      ...drained,
      inputs: checkpoint ? [] : drained.inputs, // they are in it
      alerts: [...drained.alerts, ...more.map(({ alert }) => alert)],
      notifications: [...fresh, ...more].flatMap((one) => this.#telling(one)),
      checkpoint: checkpoint ? engine.checkpoint() : undefined,
      now: now(),
    };
  }

  #telling({ event, alert }: Told): Telling[] {
    const { store, channels } = this.#parts;
    const payload: Notification = { type: "alert", event, alert };
    const holds = (key: string, channel: string): boolean => store.outbox.holds(key, channel);
    const to = channelsFor(payload, channels, holds);
    return to.length === 0 ? [] : [{ key: notificationKey(payload), payload, channels: to }];
  }
}

const isEmpty = (e: Effects): boolean =>
  e.inputs.length === 0 &&
  e.positions.size === 0 &&
  e.alerts.length === 0 &&
  e.days.size === 0 &&
  e.templates.length === 0 &&
  e.notifications.length === 0 &&
  e.checkpoint === undefined;
