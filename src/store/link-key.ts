import { randomBytes } from "node:crypto";
import { chownSync, linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../fault.ts";
import { guarded } from "./db.ts";

/** The key that signs links of mails: a file of the state folder, made when it is first needed. Without it every link is void. */

const FILE = "link.key";
const BYTES = 32;

/** Throws Fault: io, or badData for a file that holds no key. */
export function linkKey(dir: string): Buffer {
  const path = join(dir, FILE);
  return guarded(path, () => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) make(dir, path);
    const key = readFileSync(path);
    if (key.length === BYTES) return key;
    throw new Fault(
      "badData",
      `the key of the links in mails has ${key.length} bytes in place of ${BYTES}`,
      path,
      "mails carry no links, and those sent before do nothing",
      `remove the file (rm ${path}); a new one is made`,
    );
  });
}

/** Whole or not at all, and never over another one. */
function make(dir: string, path: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, randomBytes(BYTES), { mode: 0o600, flag: "wx" });
  try {
    const { uid, gid } = statSync(dir);
    if (process.getuid?.() === 0 && uid !== 0) chownSync(temporary, uid, gid);
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another one was faster
  } finally {
    unlinkSync(temporary);
  }
}
