import type { SendmailConfig } from "../config/config.ts";
import { EX_TEMPFAIL, endedText, runProgram } from "./program.ts";
import { type Outcome, sent } from "./sender.ts";

/** Handing a mail to the local queue takes moments; a queue on a slow disk may take longer. */
const TIMEOUT_MS = 120_000;
/** Exit codes that the same mail gets again (sysexits.h): usage, data, no such user or host. All others may pass. */
const REFUSED: ReadonlySet<number> = new Set([64, 65, 67, 68]);

/** Hands a mail to the system's sendmail. from, to: bare addresses. message: with CRLF; where: the setting, for messages. */
export async function sendBySendmail(
  { program }: SendmailConfig,
  from: string,
  to: readonly string[],
  message: Buffer,
  signal: AbortSignal,
  where: string,
): Promise<Outcome> {
  const input = message.toString("latin1").replace(/\r\n/g, "\n"); // as a pipe on Unix has it
  const ended = await runProgram(
    [program, "-i", "-f", from, "--", ...to],
    Buffer.from(input, "latin1"),
    TIMEOUT_MS,
    signal,
    where,
  );
  if (ended.status === 0 && !ended.stopped) return sent;
  const error = endedText(program, ended);
  return ended.status !== undefined && ended.status !== EX_TEMPFAIL && REFUSED.has(ended.status)
    ? { result: "refused", error }
    : { result: "retry", error };
}
