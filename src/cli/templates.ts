import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { parseEnvelope } from "../log/envelope.ts";
import { HeadReader } from "../log/fast-head.ts";
import type { LineBatch } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { openInputs, readInputs } from "../source/files.ts";
import { Catalogue } from "../template/catalogue.ts";

/** Where results go. */
type Out = { readonly out: (text: string) => Promise<void> };

/** Characters gathered before a write. */
const WRITE_SIZE = 1 << 16;
/** A year with every day: times play no part here, only where the envelope ends. */
const ANY_YEAR = 2000;

/** Numbers of one run of lines. */
const RUN = 1 << 16;

/** The number of the shape of each line from `first` on. */
type Run = { readonly file: string; readonly first: number; readonly shapes: Int32Array; length: number };

/** Registers `logvane templates`. */
export function templatesCommand(program: Command, io: Out): void {
  program
    .command("templates")
    .description("print the shapes that the lines of a log have")
    .argument("<file...>", "log files, globs, folders, or - for standard input")
    .option("--raw", "lines are bare messages, without time, host and program")
    .option("--format <format>", "text, json or ndjson (one record for every line)", "text")
    .option("--json", "the same as --format json")
    .option("--timezone <zone>", "taken as by every verb; shapes don't depend on it")
    .option("--year <year>", "taken as by every verb; shapes don't depend on it")
    .action(async (files: string[], options: { raw?: true; format: string; json?: true }) => {
      const catalogue = new Catalogue(randomBytes(4).readUInt32LE());
      const perLine = options.json !== true && options.format === "ndjson";
      const runs = await shapesOf(files, options.raw === true, catalogue, perLine);
      catalogue.settle();
      if (perLine) await writeRecords(runs, catalogue, io);
      else
        await io.out(
          options.json === true || options.format === "json" ? asJson(catalogue) : asText(catalogue),
        );
    });
}

/** Reads all lines into the catalogue. keep: whether to keep each line's shape, at four bytes a line. */
async function shapesOf(
  files: readonly string[],
  raw: boolean,
  catalogue: Catalogue,
  keep: boolean,
): Promise<Run[]> {
  const { inputs } = await openInputs(files, { stdin: process.stdin });
  const clock = new LogClock(new Zone("UTC"), ANY_YEAR);
  const head = new HeadReader(clock);
  const shapeOf = (lines: LineBatch, i: number): number => {
    const start = lines.starts[i]!;
    const end = lines.ends[i]!;
    if (raw) return catalogue.addBytes(lines.bytes, start, end);
    if (head.read(lines.bytes, start, end)) return catalogue.addBytes(lines.bytes, head.messageAt, end);
    head.forget();
    return catalogue.add(parseEnvelope(lines.text(i), clock).message);
  };
  const runs: Run[] = [];
  let run: Run | undefined;
  for await (const { file, lines } of readInputs(inputs)) {
    for (let i = 0; i < lines.count; i++) {
      const shape = shapeOf(lines, i);
      if (!keep) continue;
      const line = lines.first + i;
      if (run === undefined || run.file !== file || run.first + run.length !== line || run.length === RUN) {
        run = { file, first: line, shapes: new Int32Array(RUN), length: 0 };
        runs.push(run);
      }
      run.shapes[run.length++] = shape;
    }
  }
  return runs;
}

/** One record for every line, in order. `file` stands in it when there are several. */
async function writeRecords(runs: readonly Run[], catalogue: Catalogue, io: Out): Promise<void> {
  const tails = new Map<number, string>(); // what records of one shape have in common
  const tailOf = (shape: number): string => {
    const { id, text } = catalogue.groupOf(shape);
    const tail = `,"template_id":${JSON.stringify(id)},"template":${JSON.stringify(text)}}\n`;
    tails.set(shape, tail);
    return tail;
  };
  const several = runs.some((run) => run.file !== runs[0]!.file);
  let out = "";
  for (const { file, first, shapes, length } of runs) {
    const head = several ? `{"file":${JSON.stringify(file)},"line":` : '{"line":';
    for (let i = 0; i < length; i++) {
      out += `${head}${first + i}${tails.get(shapes[i]!) ?? tailOf(shapes[i]!)}`;
      if (out.length < WRITE_SIZE) continue;
      await io.out(out);
      out = "";
    }
  }
  if (out !== "") await io.out(out);
}

function asJson(catalogue: Catalogue): string {
  const templates = catalogue
    .table()
    .map(({ template, count }) => ({ template_id: template.id, template: template.text, count }));
  return `${JSON.stringify({ templates, bounded: catalogue.bounded }, undefined, 2)}\n`;
}

/** Counts and shapes. Shapes are quoted, with all but printable ASCII escaped: log text must not steer a terminal. */
function asText(catalogue: Catalogue): string {
  const rows = catalogue
    .table()
    .map(
      ({ template, count }) => `${String(count).padStart(10)}  ${template.id}  ${quoted(template.text)}\n`,
    );
  if (catalogue.bounded > 0)
    rows.push(
      `${String(catalogue.bounded).padStart(10)}  of these lines came after the table of shapes was full\n`,
    );
  return rows.join("");
}

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
