// Writes a mail log of any length, made from the sample: node dist/bench/generate.js --lines N [--seed S] [--head 3164|3339] > FILE
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { type Head, MailLog } from "./mail-log.ts";

const SAMPLE = new URL("../../samples/quickstart.log.gz", import.meta.url);
const EX_USAGE = 64;

export type Wanted = { readonly lines: number; readonly seed: number; readonly head: Head };

function mailLog({ lines, seed, head }: Wanted): MailLog {
  const sample = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n");
  return new MailLog({ lines: sample, seed, head, count: lines });
}

/** The path of such a log in the system's folder for temporary files; made when it isn't there yet. */
export function cachedLog(wanted: Wanted): string {
  const key = createHash("sha256").update(readFileSync(SAMPLE));
  for (const file of ["generate.js", "mail-log.js"]) key.update(readFileSync(new URL(file, import.meta.url)));
  const { lines, seed, head } = wanted;
  const path = join(tmpdir(), `logvane-bench-${head}-${lines}-${seed}-${key.digest("hex").slice(0, 12)}.log`);
  if (existsSync(path)) return path;
  const part = `${path}.${process.pid}`;
  const file = openSync(part, "w");
  for (const chunk of mailLog(wanted).chunks()) writeSync(file, chunk);
  closeSync(file);
  renameSync(part, path);
  return path;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      lines: { type: "string", default: "1200000" },
      seed: { type: "string", default: "1" },
      head: { type: "string", default: "3164" },
    },
  });
  const [lines, seed] = [Number(values.lines), Number(values.seed)];
  if (
    !Number.isSafeInteger(lines) ||
    lines < 1 ||
    !Number.isSafeInteger(seed) ||
    !/^3164$|^3339$/.test(values.head)
  ) {
    process.stderr.write("generate: --lines N, N at least 1, --seed S and --head 3164 or 3339\n");
    return EX_USAGE;
  }
  try {
    await pipeline(
      Readable.from(mailLog({ lines, seed, head: values.head as Head }).chunks()),
      process.stdout,
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error; // the reader has seen enough
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
