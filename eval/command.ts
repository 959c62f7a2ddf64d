// What the evaluation commands have in common: flags by commander, faults in four lines, files whole.
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Argument, type Command, CommanderError } from "commander";
import { diskFault, faultText, writeError } from "../src/cli/out.ts";
import { EXIT, Fault } from "../src/fault.ts";
import { readFault } from "../src/source/fault.ts";

const SHOWN = 200;
const LF = 10;
const CR = 13;

/** Runs one command line and sets the exit code. */
export async function runCommand(program: Command, args: readonly string[]): Promise<void> {
  program.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    process.exitCode = told(error, program.name());
  }
}

/** Flags, and what stands beside them, of this process's command line. After --help, or a mistake, which is told, the process ends. */
export function commandLine<Flags extends object>(
  program: Command,
): { readonly flags: Flags; readonly names: string[] } {
  program.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    program.parse();
    return { flags: program.opts<Flags>(), names: program.args };
  } catch (error) {
    process.exit(told(error, program.name()));
  }
}

/** Names that may be given beside flags; none stands for all. */
export const namesOf = (what: string, all: readonly string[]): Argument =>
  new Argument(`[${what}...]`).choices([...all]);

/** Writes down what went wrong. Returns the exit code. */
function told(error: unknown, name: string): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const fault = asFault(error, name);
  if (fault === undefined) throw error;
  writeError(faultText(fault));
  return EXIT[fault.exit];
}

function asFault(error: unknown, name: string): Fault | undefined {
  if (error instanceof Fault) return error;
  if (!(error instanceof CommanderError)) return diskFault(error, "the file after --out");
  return usage(error.message.replace(/^error: /, "").slice(0, SHOWN), name);
}

/** A mistake on the command line. */
export const usage = (what: string, where: string): Fault =>
  new Fault(
    "usage",
    what,
    where,
    "nothing was done",
    "type the command with --help, which lists what it takes",
  );

/** A whole number from 0 on, as a seed. */
export function wholeNumber(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usage(`${flag} takes a whole number, not "${text.slice(0, SHOWN)}"`, flag);
}

/** The lines of a text file, plain or gzipped, without what ends them. Read piece by piece, so lines may be of any length. */
export function* linesOf(path: string): Generator<string> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (error) {
    throw readFault(error, path);
  }
  for (let from = 0; from < bytes.length; ) {
    const lf = bytes.indexOf(LF, from);
    const next = lf < 0 ? bytes.length : lf;
    const end = next > from && bytes[next - 1] === CR ? next - 1 : next;
    yield bytes.toString("utf8", from, end);
    from = next + 1;
  }
}

/** Writes the rows of a result. */
export function writeRows(path: string, rows: readonly string[]): void {
  try {
    writeFileSync(path, rows.map((row) => `${row}\n`).join(""));
  } catch (error) {
    const fault = diskFault(error, path);
    if (fault !== undefined) throw fault;
    throw new Fault(
      "io",
      `cannot write ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
      "--out",
      "no result was written",
      "name a file in a folder that exists and that you may write to",
    );
  }
}

/** `<score> TAB <p_value> TAB <0|1>` of a row. */
export const verdict = (score: number, p: number, threshold: number): string =>
  `${score}\t${p}\t${score > threshold ? 1 : 0}`;
