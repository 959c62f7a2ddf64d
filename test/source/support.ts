import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { Fault } from "../../src/fault.ts";
import { type Duplicate, type Input, openInputs, readInputs } from "../../src/source/files.ts";

/** Makes folders of files below one that is removed after the tests; gives each one's path. */
export function workspace(name: string): (files?: Readonly<Record<string, string | Uint8Array>>) => string {
  const root = mkdtempSync(join(tmpdir(), `logvane-${name}-`));
  after(() => rmSync(root, { recursive: true, force: true }));
  let folders = 0;
  return (files = {}) => {
    const path = join(root, String(++folders));
    mkdirSync(path);
    for (const [file, data] of Object.entries(files)) writeFileSync(join(path, file), data);
    return path;
  };
}

export type Read = {
  /** `file:line text` of each line, the file without its folder. */
  readonly lines: string[];
  readonly texts: string[];
  readonly duplicates: readonly Duplicate[];
  readonly fault: Fault | undefined;
};

/** Reads inputs line by line. onLine is called after each line that was read. */
export async function readLines(
  inputs: readonly Input[],
  onLine: (n: number) => void = () => undefined,
): Promise<Omit<Read, "duplicates">> {
  const out: { lines: string[]; texts: string[]; fault: Fault | undefined } = {
    ...{ lines: [], texts: [], fault: undefined },
  };
  try {
    for await (const batch of readInputs(inputs))
      for (const { line, text } of batch.lines) {
        out.lines.push(`${batch.file.split("/").at(-1)}:${line} ${text}`);
        out.texts.push(text);
        onLine(out.texts.length);
      }
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    out.fault = error;
  }
  return out;
}

/** Opens and reads. */
export async function readArguments(
  args: readonly string[],
  stdin?: AsyncIterable<Uint8Array>,
): Promise<Read> {
  const { inputs, duplicates } = await openInputs(args, stdin === undefined ? {} : { stdin });
  return { ...(await readLines(inputs)), duplicates };
}

/** The Fault that a promise ends with. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}

/** Lines of a mail log, one each `stepMs`, from 2 February on; no two alike. */
export const logLines = (count: number, stepMs = 3000, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const time = new Date(Date.UTC(2026, 1, 2) + n * stepMs);
    const stamp = `Feb ${String(time.getUTCDate()).padStart(2)} ${time.toISOString().slice(11, 19)}`;
    return `${stamp} mx1 postfix/smtpd[${100 + (n % 7)}]: connect from host${n}.example[192.0.2.${n % 250}]\n`;
  });
