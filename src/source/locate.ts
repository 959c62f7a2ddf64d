import { basename, dirname, join } from "node:path";
import { Reading } from "./cut.ts";
import type { Disk, FileStat } from "./disk.ts";
import { type Generation, Moved, NotAFile, openGeneration } from "./generation.ts";
import { type FilePosition, fits, HEAD_KEPT, type Print, printOf } from "./position.ts";
import { byAge, rotatedOf } from "./rotated.ts";

/** Rotated files of one log that are looked at, the newest ones; a year of days. */
const MAX_ROTATED = 400;
/** Names change while we look: then we look again, so often at once. */
const TRIES = 5;
/** A file that was last written so long before the position was taken holds nothing unread; clocks are set. */
const SLACK_MS = 3_600_000;

/** Where reading goes on. All files in it are open and belong to the caller. */
export type Located = {
  /** The file of the position, when it was found; with `rest`, the place in it. */
  readonly own: Own | undefined;
  /** Files begun after it, oldest first, at their beginnings; the live one is the last, if it is there. */
  readonly newer: readonly Reading[];
  /** Whether lines may be missing between the position and `newer`. */
  readonly gap: boolean;
};

export type Own = { readonly file: Generation; readonly as: OwnState; readonly rest?: Reading };

/** What was found, before anything is read of it. */
type Found = Omit<Located, "newer"> & { readonly newer: readonly Generation[] };

/** `rest`: it may hold more. `read`: a copy that ends before the position. `edited`: something before the position was changed. */
export type OwnState = "rest" | "read" | "edited";

/** How a file and a position agree. */
type Match = "same" | "shorter" | "edited" | "other";

async function matchOf(file: Generation, position: FilePosition): Promise<Match> {
  const { head, tail, offset } = position;
  if (head.bytes === 0 || !fits(await file.read(0, head.bytes), head)) return "other";
  if (tail.bytes === 0) return "same";
  const last = await file.read(offset - tail.bytes, tail.bytes);
  if (last.length < tail.bytes) return "shorter";
  return fits(last, tail) ? "same" : "edited";
}

/**
 * Finds the file of a position, whatever name rotation has given it, and those that came after it; without a position all
 * there are. Throws the system's error when one of them can't be opened: what is in it can't be told.
 */
export async function locate(disk: Disk, path: string, position: FilePosition | undefined): Promise<Located> {
  for (let n = 1; ; n++) {
    const opened: Generation[] = [];
    try {
      const before = await namesOf(disk, path);
      const located = await placesIn(await search(disk, path, before, position, opened), position);
      // What the places hold of their files was read before this: a file that is copied and emptied from here on will not fit.
      const after = await namesOf(disk, path);
      if (before.length === after.length && before.every((name, i) => name.id === after[i]!.id)) {
        const kept = new Set([...located.newer.map(({ file }) => file), located.own?.file]);
        for (const file of opened) if (!kept.has(file)) await file.close();
        return located;
      }
      throw new Moved(path);
    } catch (error) {
      for (const file of opened) await file.close();
      const gone =
        error instanceof Moved ||
        error instanceof NotAFile ||
        (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!gone || n === TRIES) throw error;
    }
  }
}

async function placesIn(found: Found, position: FilePosition | undefined): Promise<Located> {
  const places: Reading[] = [];
  for (const file of found.newer) places.push(await Reading.at(file, 0, 0));
  // A copy of the next file, which is about to be emptied, or never will be.
  const newer = places.filter((place, i) => !isCopyOf(place, places[i + 1]));
  const { own, gap } = found;
  if (own?.as !== "rest" || position === undefined) return { own, newer, gap };
  const rest = await Reading.at(own.file, position.offset, position.line);
  if (!rest.isAt(position)) throw new Moved(own.file.path);
  return { own: { ...own, rest }, newer, gap };
}

const isCopyOf = ({ print }: Reading, next: Reading | undefined): boolean =>
  print.bytes === HEAD_KEPT && print.sha256 === next?.print.sha256;

/** Head of the newest rotated file of a path that isn't empty; null when there is none. */
export async function newestRotated(disk: Disk, path: string): Promise<Print | null> {
  const newest = (await namesOf(disk, path)).findLast((name) => name.path !== path && name.size > 0);
  if (newest === undefined) return null;
  const file = await openGeneration(disk, newest.path);
  try {
    return printOf(await file.read(0, HEAD_KEPT));
  } finally {
    await file.close();
  }
}

type Name = {
  readonly path: string;
  readonly id: string;
  readonly size: number;
  readonly mtimeMs: number;
};

/** The rotated files of a path, oldest first, and the live one last. */
async function namesOf(disk: Disk, path: string): Promise<Name[]> {
  const folder = dirname(path);
  const base = basename(path);
  const rotated = (await disk.list(folder))
    .flatMap((name) => {
      const parsed = rotatedOf(base, name);
      return parsed === undefined ? [] : [{ ...parsed, name }];
    })
    .sort((a, b) => byAge(a, b) || Number(a.packed) - Number(b.packed));
  const out: Name[] = [];
  let stem = "";
  for (const { name, stem: own } of rotated) {
    if (own === stem) continue; // being compressed: the plain one is whole
    const stat = await statOf(disk, join(folder, name));
    if (stat === undefined || !stat.isFile()) continue;
    stem = own;
    out.push(nameOf(join(folder, name), stat));
  }
  const live = await statOf(disk, path);
  const names = out.slice(-MAX_ROTATED);
  if (live?.isFile()) names.push({ ...nameOf(path, live), mtimeMs: Number.POSITIVE_INFINITY });
  return names;
}

const nameOf = (path: string, { dev, ino, size, mtimeMs }: FileStat): Name => ({
  ...{ path, id: `${path} ${dev}:${ino}`, size, mtimeMs },
});

/** undefined when there is nothing of that name (any more). */
async function statOf(disk: Disk, path: string): Promise<FileStat | undefined> {
  try {
    return await disk.stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Looks from the newest file back. Whatever it opens is put into `opened`. */
async function search(
  disk: Disk,
  path: string,
  names: readonly Name[],
  position: FilePosition | undefined,
  opened: Generation[],
): Promise<Found> {
  const seen: Seen[] = []; // oldest first
  for (const name of [...names].reverse()) {
    const file = await openGeneration(disk, name.path);
    opened.push(file);
    if (position === undefined) {
      seen.unshift({ file, match: "other", live: name.path === path, stale: false });
      continue;
    }
    const match = await matchOf(file, position);
    if (match === "same") return { own: { file, as: "rest" }, newer: seen.map((s) => s.file), gap: false };
    if (position.before !== null && fits(await file.read(0, position.before.bytes), position.before))
      return withoutOwn(seen, position, true);
    seen.unshift({
      ...{ file, match, live: name.path === path },
      stale: name.mtimeMs < position.at - SLACK_MS,
    });
  }
  if (position === undefined) return { own: undefined, newer: seen.map((s) => s.file), gap: false };
  const fresh = seen.filter((s) => !s.stale);
  return withoutOwn(fresh, position, position.before === null);
}

type Seen = {
  readonly file: Generation;
  readonly match: Match;
  readonly live: boolean;
  readonly stale: boolean;
};

/** No file holds the position as it was. complete: `seen` are all files since the one before it. */
function withoutOwn(seen: readonly Seen[], position: FilePosition, complete: boolean): Found {
  const files = seen.map((s) => s.file);
  // Nothing was read of it and it was empty: it is one of them, and all are read from their beginnings.
  if (position.head.bytes === 0) return { own: undefined, newer: files, gap: !complete && files.length > 1 };
  const copy = seen.findIndex((s) => !s.live && s.match !== "other");
  if (copy >= 0) {
    const as = seen[copy]!.match === "shorter" ? "read" : "edited";
    return { own: { file: files[copy]!, as }, newer: files.slice(copy + 1), gap: false };
  }
  const last = seen.at(-1);
  if (last?.live && last.match !== "other")
    return { own: { file: last.file, as: "edited" }, newer: [], gap: false };
  return { own: undefined, newer: files, gap: true };
}
