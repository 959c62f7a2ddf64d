import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  continues,
  type FilePosition,
  isSameFile,
  type Position,
  printOf,
} from "../../src/source/position.ts";

const print = printOf(new Uint8Array());
const file = (ino: number, offset: number): FilePosition => ({
  ...{ kind: "file", dev: 1, ino, offset, line: offset, head: print, tail: print, before: null, at: 0 },
});
const spool = (segment: number, offset: number): Position => ({ kind: "spool", segment, offset, line: 0 });

suite("runs that are read again as one", () => {
  test("lie in one file, one behind the other", () => {
    assert.ok(continues(file(7, 100), file(7, 100), file(7, 200)));
    assert.ok(!continues(file(7, 100), file(8, 0), file(8, 200)), "rotated");
    assert.ok(!continues(file(7, 100), file(7, 0), file(7, 200)), "emptied, the same inode");
  });
  test("lie in one segment of a spool", () => {
    assert.ok(continues(spool(1, 5), spool(1, 5), spool(1, 9)));
    assert.ok(!continues(spool(1, 5), spool(1, 5), spool(2, 9)));
  });
});

suite("two places", () => {
  const headed = (ino: number, head: string): FilePosition => ({
    ...file(ino, 9),
    head: printOf(Buffer.from(head)),
  });
  test("lie in one file when that begins alike, also in a copy", () => {
    assert.ok(isSameFile(headed(7, "Nov 29"), headed(8, "Nov 29")));
    assert.ok(!isSameFile(headed(7, "Nov 29"), headed(7, "Nov 30")), "emptied and written anew");
  });
  test("lie in one file that has grown since, by its inode", () => {
    assert.ok(isSameFile(headed(7, "Nov"), headed(7, "Nov 29")));
    assert.ok(isSameFile(file(7, 0), headed(7, "Nov 29")));
    assert.ok(!isSameFile(file(7, 0), file(8, 0)), "both are empty");
  });
});
