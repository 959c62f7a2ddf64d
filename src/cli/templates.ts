import type { Command } from "commander";
import { parseEnvelope } from "../log/envelope.ts";
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

/** The lines of one file: how many, and the number of each one's shape. */
type FileShapes = { readonly file: string; readonly shapes: number[] };

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
      const catalogue = new Catalogue();
      const read = await shapesOf(files, options.raw === true, catalogue);
      catalogue.settle();
      if (options.json === true || options.format === "json") await io.out(asJson(catalogue));
      else if (options.format === "ndjson") await writeRecords(read, catalogue, io);
      else await io.out(asText(catalogue));
    });
}

/** Reads all lines into the catalogue. */
async function shapesOf(files: readonly string[], raw: boolean, catalogue: Catalogue): Promise<FileShapes[]> {
  const { inputs } = await openInputs(files);
  const clock = new LogClock(new Zone("UTC"), ANY_YEAR);
  const read: FileShapes[] = [];
  for await (const { file, lines } of readInputs(inputs)) {
    if (read.at(-1)?.file !== file) read.push({ file, shapes: [] });
    const { shapes } = read.at(-1)!;
    for (const { text } of lines) shapes.push(catalogue.add(raw ? text : parseEnvelope(text, clock).message));
  }
  return read;
}

/** One record for every line, in order. `file` stands in it when there are several. */
async function writeRecords(read: readonly FileShapes[], catalogue: Catalogue, io: Out): Promise<void> {
  const tails = new Map<number, string>(); // what records of one shape have in common
  const tailOf = (shape: number): string => {
    const { id, text } = catalogue.groupOf(shape);
    const tail = `,"template_id":${JSON.stringify(id)},"template":${JSON.stringify(text)}}\n`;
    tails.set(shape, tail);
    return tail;
  };
  let out = "";
  for (const { file, shapes } of read) {
    const head = read.length > 1 ? `{"file":${JSON.stringify(file)},"line":` : '{"line":';
    for (const [i, shape] of shapes.entries()) {
      out += `${head}${i + 1}${tails.get(shape) ?? tailOf(shape)}`;
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
