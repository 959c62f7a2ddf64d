import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { eachEvent } from "../../src/cli/events.ts";
import { openMail } from "../../src/cli/input.ts";
import { GroupTable, learnGroups } from "../../src/template/groups.ts";
import { type Corpus, yearOf, zoneOf } from "../accuracy/corpus.ts";

/** What every baseline sees of a log: when each line came, and which template it has. Read once, by our own parser. */
export type Lines = {
  /** Log time in ms, never going back. One entry for each line with a time, as in the two next. */
  readonly times: readonly number[];
  /** 1-based number of the line in its file. */
  readonly numbers: readonly number[];
  /** Index into `templates`. Those of training come first, by first sight. */
  readonly columns: readonly number[];
  readonly templates: readonly string[];
  /** Lines and templates of training. */
  readonly trained: number;
  readonly known: number;
};

/**
 * Reads a log. The shapes of training are joined as our detector joins them, and later lines find the groups of training, so
 * that no baseline drowns in shapes that differ in one word.
 */
export async function readLines(
  corpus: Pick<Corpus, "log" | "trainUntil" | "zone" | "year">,
): Promise<Lines> {
  const until = Date.parse(corpus.trainUntil);
  const input = await openMail([corpus.log], { timezone: zoneOf(corpus), year: yearOf(corpus) });
  const shapes = new Map<string, { writer: string; shape: string }>();
  const columnOf = new Map<string, number>();
  const templates: string[] = [];
  const times: number[] = [];
  const numbers: number[] = [];
  const columns: number[] = [];
  let trained = -1;
  let known = 0;
  let now = Number.NEGATIVE_INFINITY;

  const intern = (id: string, text: string): number => {
    let column = columnOf.get(id);
    if (column !== undefined) return column;
    column = templates.push(text) - 1;
    columnOf.set(id, column);
    return column;
  };
  /** Ends training: its templates are joined, and the reader gives the groups from here on. */
  const join = (): void => {
    const groups = learnGroups(shapes.values());
    const table = new GroupTable(groups);
    const old = [...columnOf.keys()];
    columnOf.clear();
    templates.length = 0;
    const into = old.map((id) => {
      const { writer, shape } = shapes.get(id)!;
      const group = table.templateOf(writer, shape);
      return intern(group.id, group.text);
    });
    for (let i = 0; i < columns.length; i++) columns[i] = into[columns[i]!]!;
    trained = columns.length;
    known = templates.length;
    input.reader.adopt(groups);
  };
  await eachEvent(input, (event) => {
    if (event.time === null) return;
    now = Math.max(now, event.time);
    // The line that ends training was read before its groups were known, as in our own back-test.
    if (trained < 0 && now >= until) join();
    const { daemon, template, templateId } = event;
    if (trained < 0 && !shapes.has(templateId))
      shapes.set(templateId, { writer: daemon, shape: template.slice(daemon.length + 2) });
    times.push(now);
    numbers.push(event.line);
    columns.push(intern(templateId, template));
  });
  if (trained < 0) join();
  return { times, numbers, columns, templates, trained, known };
}

const LF = 10;

/** The bytes of a log, and where its lines begin and end. */
class Text {
  readonly #bytes: Buffer;
  constructor(log: string) {
    const raw = readFileSync(log);
    this.#bytes = log.endsWith(".gz") ? gunzipSync(raw) : raw;
  }

  /** Calls `visit` with each line's number and bytes, the LF included. */
  each(visit: (number: number, line: Buffer) => void): void {
    const bytes = this.#bytes;
    let number = 0;
    for (let start = 0; start < bytes.length; ) {
      const lf = bytes.indexOf(LF, start);
      const end = lf < 0 ? bytes.length : lf + 1;
      visit(++number, bytes.subarray(start, end));
      start = end;
    }
  }
}

/** The text of lines by their numbers. */
export function textsOf(log: string, wanted: ReadonlySet<number>): Map<number, string> {
  const texts = new Map<number, string>();
  new Text(log).each((number, line) => {
    if (wanted.has(number)) texts.set(number, line.toString("utf8").replace(/\r?\n$/, ""));
  });
  return texts;
}

/**
 * Writes the log without the lines that have a template never seen in training. They become blank lines, which say nothing
 * but keep the numbers of the others, by which labels name lines. Returns how many there were.
 */
export function writeWithoutNew(log: string, lines: Lines, file: string): ReadonlySet<number> {
  const removed = new Set<number>();
  for (let i = lines.trained; i < lines.columns.length; i++)
    if (lines.columns[i]! >= lines.known) removed.add(lines.numbers[i]!);
  const out = openSync(file, "w");
  const blank = Buffer.from("\n");
  let waiting: Buffer[] = [];
  const flush = (): void => {
    writeSync(out, Buffer.concat(waiting));
    waiting = [];
  };
  new Text(log).each((number, line) => {
    waiting.push(removed.has(number) ? blank : line);
    if (waiting.length === 4096) flush();
  });
  flush();
  closeSync(out);
  return removed;
}
