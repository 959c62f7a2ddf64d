// Makes samples/prior.json, what a new server may begin with, of our lab's own logs in samples/: npm run prior. The same logs give the same bytes.
// With FILE...: how much of other logs the shipped one knows, of lines of Postfix and Dovecot; nothing is written.
import { readFileSync, writeFileSync } from "node:fs";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import { EventReader } from "../src/mail/read.ts";
import type { Prior } from "../src/pipeline/prior.ts";
import { linesOf } from "./command.ts";
import { priorOf, priorText, SOURCES } from "./prior/shapes.ts";

const FILE = "samples/prior.json";
const MAIL = /^(?:postfix|dovecot)\b/;

function covered(file: string, { shapes }: Prior): string {
  const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 1);
  const met = new Map<string, { known: boolean; lines: number }>();
  let n = 0;
  for (const text of linesOf(file)) {
    const { daemon, template, time } = reader.readText(file, ++n, text);
    if (time === null || !MAIL.test(daemon)) continue;
    const known = shapes[daemon]?.includes(template.slice(daemon.length + 2)) === true;
    const shape = met.get(template) ?? { known, lines: 0 };
    shape.lines++;
    met.set(template, shape);
  }
  const all = [...met.values()];
  const lines = (some: typeof all): number => some.reduce((sum, one) => sum + one.lines, 0);
  const own = all.filter(({ known }) => known);
  return `${file}: ${own.length} of ${all.length} shapes, ${lines(own)} of ${lines(all)} lines are known\n`;
}

const files = process.argv.slice(2);
if (files.length === 0) {
  const text = priorText(priorOf(SOURCES));
  writeFileSync(FILE, text);
  process.stderr.write(`written: ${FILE}, ${text.length} bytes\n`);
} else {
  const prior = JSON.parse(readFileSync(FILE, "utf8")) as Prior;
  for (const file of files) process.stdout.write(covered(file, prior));
}
