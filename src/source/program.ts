import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What a program says on standard error is kept up to here. */
const MAX_COMPLAINT = 500;

/** The program is not installed. */
export class MissingProgram extends Error {}
/** The program ended with a status other than 0; the message is what it said. Its output up to then was given out. */
export class FailedProgram extends Error {}

/**
 * What a program of the system prints, run without a shell and ended when the reader stops early. bytes: its standard input.
 * Throws MissingProgram, FailedProgram, or what reading `bytes` threw.
 */
export async function* output(
  program: string,
  args: readonly string[],
  bytes?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, args, { stdio: [bytes === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const ended = once(child, "close");
  ended.catch(() => undefined);
  try {
    await once(child, "spawn");
  } catch {
    throw new MissingProgram(program);
  }
  let complaint = "";
  child.stderr?.on("data", (text: Buffer) => {
    if (complaint.length < MAX_COMPLAINT) complaint += text.toString().slice(0, MAX_COMPLAINT);
  });
  const fed = bytes === undefined ? undefined : feed(child, bytes);
  let done = false;
  try {
    for await (const chunk of child.stdout!) yield chunk as Uint8Array;
    done = true;
  } finally {
    if (!done) child.kill();
  }
  const failure = await fed;
  if (failure !== undefined) throw failure;
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new FailedProgram(complaint.trim().split("\n")[0]!.slice(0, MAX_COMPLAINT));
}

/** Feeds the program; gives what reading threw. That the program itself stopped reading (EPIPE) its status tells. */
async function feed(child: ChildProcess, bytes: AsyncIterable<Uint8Array>): Promise<Error | undefined> {
  let failure: Error | undefined;
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      failure = error as Error;
      throw error;
    }
  };
  await pipeline(Readable.from(watched()), child.stdin!).catch(() => undefined);
  return failure;
}
