import { Fault } from "../fault.ts";
import type { Outcome } from "./sender.ts";

/** The Fault for a channel that begins to fail. waiting: how many wait there. where: the settings. */
export const sendingFault = (
  channel: string,
  outcome: Exclude<Outcome, { result: "sent" }>,
  waiting: number,
  where: string,
): Fault =>
  new Fault(
    "temporary",
    `cannot send on channel "${channel}": ${outcome.error}`,
    where,
    outcome.result === "refused"
      ? `what was refused is tried three times more within three hours; ${waiting} wait`
      : `${waiting} wait, in order; they are tried again for seven days, after an hour at the latest`,
    "check the channel's settings and its receiver; logvane check --send-test tries it at once",
  );

/** The Fault for a notification that nobody took. key: what it tells. */
export const givenUpFault = (
  channel: string,
  key: string,
  tries: number,
  error: string,
  where: string,
): Fault =>
  new Fault(
    "unavailable",
    `gave up on a notification for channel "${channel}" after ${tries} tries: ${error}`,
    where,
    `"${key}" is not told there; the daily report counts it, and those behind it go on`,
    "check the channel's settings and its receiver; logvane alerts lists what was not told",
  );

/** The Fault for what waited for a channel that was taken out of the settings. */
export const goneFault = (channel: string, given: number, where: string): Fault =>
  new Fault(
    "configuration",
    `${given} notifications waited for a channel that there no longer is: "${channel}"`,
    where,
    "they are given up, and counted in the daily report; logvane alerts lists what they told",
    "nothing, if you took the channel away; a channel that is renamed loses what waits for it",
  );
