import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Fault } from "../../src/fault.ts";
import { decodeModelFile, encodeModelFile } from "../../src/store/model-file.ts";
import type { StoredModel } from "../../src/store/registry.ts";

const MODEL: StoredModel = {
  id: "52857f3062c6",
  createdAt: 1_790_000_000_000,
  header: { seed: 7, figures: [{ day: "2026-09-21" }], name: "größe\u0000\u202e" },
  blob: Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 256),
};
const BYTES = encodeModelFile(MODEL);

const fails = (bytes: Uint8Array, exit: string, what: RegExp): void =>
  assert.throws(
    () => decodeModelFile(bytes, "m.logvane"),
    (error) =>
      error instanceof Fault &&
      error.exit === exit &&
      what.test(error.message) &&
      error.where === "m.logvane",
  );
/** The bytes with some of them replaced, and a digest that holds again. */
function signed(change: (body: Buffer) => void): Uint8Array {
  const body = Buffer.from(BYTES.subarray(0, -32));
  change(body);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}

suite("a model written to a file of its own and read again", () => {
  test("is the same model", () => assert.deepEqual(decodeModelFile(BYTES, "m.logvane"), MODEL));
  test("has the bytes that docs/model-format.md tells", () => {
    const bytes = Buffer.from(BYTES);
    assert.equal(bytes.toString("latin1", 0, 8), "LOGVANEM");
    assert.equal(bytes.readUInt32LE(8), 1);
    const end = 16 + bytes.readUInt32LE(12);
    const { id, createdAt, header } = MODEL;
    assert.deepEqual(JSON.parse(bytes.toString("utf8", 16, end)), { id, createdAt, header });
    assert.deepEqual(new Uint8Array(bytes.subarray(end, end + 300)), MODEL.blob);
    const digest = createHash("sha256")
      .update(bytes.subarray(0, end + 300))
      .digest();
    assert.deepEqual(bytes.subarray(end + 300), digest);
  });
  test("reads from the middle of a larger buffer", () => {
    const wide = new Uint8Array(BYTES.length + 9);
    wide.set(BYTES, 5);
    assert.deepEqual(decodeModelFile(wide.subarray(5, 5 + BYTES.length), "m.logvane"), MODEL);
  });
});

suite("a file that is no exported model", () => {
  test("of another kind is bad data", () => {
    fails(new Uint8Array(0), "badData", /no exported model/);
    fails(Buffer.from("SQLite format 3 and more"), "badData", /no exported model/);
  });
  test("of a newer release says which, even if its digest is another", () => {
    const newer = Buffer.from(BYTES);
    newer.writeUInt32LE(2, 8);
    fails(newer, "configuration", /format 2; this one knows 1/);
  });
  test("cut short or with any one byte changed is never taken", () => {
    fc.assert(
      fc.property(fc.nat(BYTES.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = BYTES.slice();
        changed[at]! ^= flip;
        for (const bytes of [changed, BYTES.subarray(0, at)])
          assert.throws(() => decodeModelFile(bytes, "m.logvane"), Fault);
      }),
    );
  });
  test("whose header lies is bad data though its digest holds", () => {
    fails(
      signed((b) => b.writeUInt32LE(0xffffffff, 12)),
      "badData",
      /damaged/,
    );
    fails(
      signed((b) => b.write("[", 16)),
      "badData",
      /damaged/,
    );
    fails(
      signed((b) => b.write('"xx":', 17)),
      "badData",
      /damaged/,
    );
  });
});
