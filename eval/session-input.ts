import { Fault } from "../src/fault.ts";
import { type Bag, bagOf, type Columns } from "../src/feature/session.ts";
import { parseEnvelope } from "../src/log/envelope.ts";
import { HeadReader } from "../src/log/fast-head.ts";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import { createRandom } from "../src/math/random.ts";
import { openInputs, readInputs } from "../src/source/files.ts";
import { Catalogue } from "../src/template/catalogue.ts";
import { GroupTable, learnGroups } from "../src/template/groups.ts";
import { linesOf } from "./command.ts";

/** A year with every day: times play no part, only where the envelope ends. */
const ANY_YEAR = 2000;
/** Changes no result, see Catalogue. */
const CATALOGUE_SEED = 1;

/** A session as read: its name and how often each event came. */
export type Session<E> = { readonly id: string; readonly events: Map<E, number> };

/** Prepared sessions: `<id> TAB <event id> <event id> ...` a line. badData Fault for a line without TAB. */
export function readSessions(path: string): Session<string>[] {
  const sessions: Session<string>[] = [];
  for (const line of linesOf(path)) {
    const tab = line.indexOf("\t");
    if (tab < 0)
      throw new Fault(
        "badData",
        `line ${sessions.length + 1} has no TAB after the session's id`,
        path,
        "nothing was scored",
        "write each session as: id, TAB, event ids with a blank between them",
      );
    const events = new Map<string, number>();
    for (const event of line.slice(tab + 1).split(" "))
      if (event !== "") events.set(event, (events.get(event) ?? 0) + 1);
    sessions.push({ id: line.slice(0, tab), events });
  }
  return sessions;
}

/** Sessions of a raw log, ordered by their first line, with shapes for events until the groups are known. */
export type LogSessions = {
  readonly sessions: readonly Session<number>[];
  readonly shapeOf: (shape: number) => string;
};

/** key: with the flag g. A line belongs to every distinct match on it; a line without match to none. */
export async function readLog(path: string, key: RegExp): Promise<LogSessions> {
  const { inputs } = await openInputs([path], { stdin: process.stdin });
  const clock = new LogClock(new Zone("UTC"), ANY_YEAR);
  const head = new HeadReader(clock);
  const catalogue = new Catalogue(CATALOGUE_SEED);
  const sessions = new Map<string, Session<number>>();
  for await (const { lines } of readInputs(inputs)) {
    for (let i = 0; i < lines.count; i++) {
      const text = lines.text(i);
      const ids = new Set(text.match(key));
      ids.delete("");
      if (ids.size === 0) continue;
      let shape: number;
      if (head.read(lines.bytes, lines.starts[i]!, lines.ends[i]!))
        shape = catalogue.addBytes(lines.bytes, head.messageAt, lines.ends[i]!);
      else {
        head.forget();
        shape = catalogue.add(parseEnvelope(text, clock).message);
      }
      for (const id of ids) {
        let session = sessions.get(id);
        if (session === undefined) {
          session = { id: ` ${id}`.slice(1), events: new Map() }; // a copy, so that the line is not kept
          sessions.set(session.id, session);
        }
        session.events.set(shape, (session.events.get(shape) ?? 0) + 1);
      }
    }
  }
  return { sessions: [...sessions.values()], shapeOf: (shape) => catalogue.shapeOf(shape) };
}

/**
 * Names the events of log sessions by templates. Groups are formed from the training sessions alone, so that what is scored
 * later changes nothing; a shape that comes later finds its group, or stands for itself.
 */
export function templateEvents(
  { sessions, shapeOf }: LogSessions,
  training: ReadonlySet<number>,
): Session<string>[] {
  const shapes = new Set<number>();
  sessions.forEach(({ events }, i) => {
    if (training.has(i)) for (const shape of events.keys()) shapes.add(shape);
  });
  const groups = new GroupTable(learnGroups([...shapes].map((s) => ({ writer: "", shape: shapeOf(s) }))));
  const names = new Map<number, string>();
  const nameOf = (shape: number): string => {
    const known = names.get(shape) ?? groups.templateOf("", shapeOf(shape)).id;
    names.set(shape, known);
    return known;
  };
  return sessions.map(({ id, events }) => {
    const named = new Map<string, number>();
    for (const [shape, n] of events) named.set(nameOf(shape), (named.get(nameOf(shape)) ?? 0) + n);
    return { id, events: named };
  });
}

/** Bags over shared columns. */
export const bagsOf = (sessions: readonly Session<string>[], columns: Columns): Bag[] =>
  sessions.map(({ events }) => bagOf(new Map([...events].map(([event, n]) => [columns.of(event), n]))));

/** Places of the training sessions: exactly `count`, by the seed or the first ones. */
export function trainingPart(n: number, count: number, split: "random" | "time", seed: number): Set<number> {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  if (split === "random") createRandom(seed).shuffle(order);
  return new Set(order.subarray(0, count));
}
