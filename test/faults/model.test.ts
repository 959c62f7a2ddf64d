import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { elbo } from "../../src/model/score.ts";
import { createVae, type Vae } from "../../src/model/vae.ts";
import { openDatabase } from "../../src/store/db.ts";
import { openStore } from "../../src/store/queries.ts";
import { runOnnx } from "../model/onnx-interpreter.ts";
import { readOnnx, type Tensor } from "../model/onnx-reader.ts";
import { lowRankRows } from "../model/synthetic.ts";
import { smallModel } from "../support/small-model.ts";
import { assertFault, type FaultCase, logvane } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-model-"));
after(() => rmSync(root, { recursive: true, force: true }));
const path = (name: string): string => join(root, name);

const HOSTILE = '\u001b[31m"},{"name":"\u202e../x\n';
const SHAPE = { counts: 3, reals: 0, conditions: 6, hidden: 5, latent: 2 };
const VAE = createVae(SHAPE, 4);
const learned = (windowVae: Vae | undefined): Uint8Array =>
  smallModel({ a: 1, b: 2, [HOSTILE]: 3 }, windowVae);

const good = path("good");
const store = openStore(good);
const header = { from: 1_788_700_000_000, to: 1_790_000_000_000, events: 98, seed: 7, columns: 3, shapes: 9 };
store.saveModel({ id: "abc111", createdAt: header.to, header, blob: learned(VAE) });
store.saveModel({ id: "none33", createdAt: header.from, header: {}, blob: learned(undefined) });
store.saveModel({ id: "broken", createdAt: 1, header: {}, blob: Uint8Array.of(1, 2) });
store.saveModel({ id: "torn", createdAt: 1, header: {}, blob: learned(VAE) });
store.saveModel({
  id: "abc222",
  createdAt: header.to + 5,
  header: { ...header, format: 2, release: HOSTILE, trainedAt: header.to + 9 },
  blob: learned(VAE),
});
store.close();
const db = openDatabase(good);
db.prepare("UPDATE models SET blob = x'02' WHERE id = 'torn'").run();
db.close();
const alone = openStore(path("alone"));
alone.saveModel({ id: "m1", createdAt: 1, header: {}, blob: learned(undefined) });
alone.close();
const empty = path("empty");
openStore(empty).close();
writeFileSync(path("text"), "no model");

const at = ["--state", good];
const CASES: readonly FaultCase[] = [
  ["no inner verb", ["model"], 64, /no verb was given/, /second word/, /model list/],
  ["an unknown inner verb", ["model", "fly"], 64, /no verb "model fly"/, /second word/, /rollback, export/],
  ["no state", ["model", "show", "--state", path("no")], 78, /no model yet/, /no$/, /logvane train/],
  [
    "a state without a model",
    ["model", "show", "--state", empty],
    78,
    /no model yet/,
    /empty/,
    /logvane train/,
  ],
  [
    "no state to export",
    ["model", "export", path("x"), "--state", path("no")],
    78,
    /no model/,
    /no$/,
    /train/,
  ],
  ["an unknown model", ["model", "show", "zz", ...at], 66, /no model "zz"/, /good/, /logvane model list/],
  ["an id without a state", ["model", "show", "zz", "--state", path("no")], 66, /no model/, /no$/, /--state/],
  [
    "an id of two models",
    ["model", "show", "abc", ...at],
    64,
    /several models/,
    /abc111, abc222/,
    /model list/,
  ],
  ["an id and a file", ["model", "show", "abc1", "--file", "x", ...at], 64, /either/, /abc1/, /leave one/],
  ["no such file", ["model", "show", "--file", path("no")], 66, /ENOENT/, /no$/, /after --file/],
  [
    "a file of text",
    ["model", "show", "--file", path("text")],
    65,
    /no exported model/,
    /text$/,
    /export FILE/,
  ],
  [
    "bytes of no model",
    ["model", "show", "broken", ...at],
    65,
    /can't be read/,
    /model broken/,
    /train again/,
  ],
  ["changed bytes", ["model", "show", "torn", ...at], 65, /checksum/, /model torn/, /train again/],
  ["nothing to write to", ["model", "export", ...at], 64, /no file was named/, /model export/, /--onnx FILE/],
  ["no folder to write to", ["model", "export", path("no/x"), ...at], 74, /ENOENT/, /no\/x/, /folder/],
  [
    "a format of a file",
    ["model", "export", path("x"), "--json", ...at],
    64,
    /json/,
    /--format/,
    /--format text/,
  ],
  [
    "a model without networks",
    ["model", "export", "--onnx", path("x"), "--id", "none", ...at],
    66,
    /no network/,
    /model none33/,
    /three days/,
  ],
  [
    "a model in use to promote",
    ["model", "promote", "abc222", ...at],
    64,
    /in use already/,
    /good/,
    /model list/,
  ],
  [
    "bytes to promote",
    ["model", "promote", "broken", ...at],
    65,
    /can't be read/,
    /model broken/,
    /train again/,
  ],
  [
    "an unknown model to promote",
    ["model", "promote", "zz", ...at],
    66,
    /no model "zz"/,
    /good/,
    /model list/,
  ],
  [
    "no model before",
    ["model", "rollback", "--state", path("alone")],
    66,
    /before this one/,
    /m1$/,
    /promote ID/,
  ],
  [
    "no model to roll back",
    ["model", "rollback", "--state", empty],
    78,
    /no model yet/,
    /empty/,
    /logvane train/,
  ],
  [
    "no model before to compare with",
    ["model", "diff", "--state", path("alone")],
    66,
    /before this one/,
    /alone/,
    /diff FROM/,
  ],
  [
    "an unknown model to compare",
    ["model", "diff", "abc1", "zz", ...at],
    66,
    /no model "zz"/,
    /good/,
    /model list/,
  ],
  [
    "no number to keep",
    ["model", "prune", "--keep", "all", ...at],
    64,
    /number of models/,
    /--keep/,
    /--keep 4/,
  ],
];

suite("a mistake with a model", () => {
  for (const fault of CASES)
    test(`${fault[0]} ends with ${fault[2]} and says what, where, effect and what to do`, () =>
      assertFault(fault));
  test("makes no state folder", () => assert.equal(existsSync(path("no")), false));
});

suite("the models of a state", () => {
  test("are listed, the newest first, with what is known of each", () => {
    const { status, stdout } = logvane(["model", "list", ...at]);
    assert.equal(status, 0);
    const rows = stdout.trimEnd().split("\n");
    assert.match(
      rows[0]!,
      /^abc222 {2}in use {2}2026-09-06 13:06 \+00:00 to 2026-09-21 14:13 \+00:00 \(15\.0 days\) {2}98 lines {2}3 columns {2}seed 7 {2}\d+ KiB$/,
    );
    assert.deepEqual(
      rows.map((row) => row.slice(0, 6)),
      ["abc222", "abc111", "none33", "broken", "torn  "],
    );
    assert.match(rows[2]!, /not recorded/);
  });
  test("are records as JSON and NDJSON, flags before or after the inner verb", () => {
    const models = JSON.parse(logvane(["model", "--json", ...at, "list"]).stdout) as Record<
      string,
      unknown
    >[];
    const { id, in_use, from, to, seed, trained_at } = models[1]!;
    assert.deepEqual(
      [id, in_use, from, to, seed, trained_at],
      ["abc111", false, "2026-09-06T13:06:40.000Z", "2026-09-21T14:13:20.000Z", 7, null],
    );
    const lines = logvane(["model", "list", "--format", "ndjson", ...at])
      .stdout.trim()
      .split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      models,
    );
  });
  test("are none where there is no state, which is not made", () => {
    const { status, stdout } = logvane(["model", "list", "--state", path("no")]);
    assert.deepEqual([status, stdout.slice(0, 10)], [0, "No models."]);
    assert.equal(existsSync(path("no")), false);
  });
  test("are shown with their networks, as text that only shows", () => {
    const { stdout } = logvane(["model", "show", ...at]);
    assert.match(stdout, /^model {5}abc222, in use$/m);
    assert.match(
      stdout,
      /^networks {2}window: 3 counts, 0 numbers, 6 conditions, 5 hidden, 2 latent, \d+ weights/m,
    );
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    const shown = JSON.parse(logvane(["model", "show", "abc1", "--json", ...at]).stdout) as {
      networks: { name: string; counts: { name: string }[] }[];
    };
    assert.deepEqual(
      shown.networks[0]!.counts.map((c) => c.name),
      ["a", "b", HOSTILE],
    );
  });
});

suite("an exported model", () => {
  test("is read from its file as from the state, and only its owner reads it", () => {
    const file = path("m.logvane");
    const { status, stdout } = logvane(["model", "export", file, "--id", "abc1", ...at]);
    assert.deepEqual([status, stdout], [0, `${file}\n`]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const there = JSON.parse(logvane(["model", "show", "--file", file, "--json"]).stdout);
    const here = JSON.parse(logvane(["model", "show", "abc1", "--json", ...at]).stdout);
    assert.deepEqual(there, { ...here, used: [] }); // a file does not know where it was in use
  });
  test("gives its networks as ONNX beside the name, or in a folder, with the scores of the model", () => {
    const named = logvane(["model", "export", "--onnx", path("m.onnx"), ...at]);
    assert.deepEqual([named.status, named.stdout], [0, `${path("m.window.onnx")}\n`]);
    mkdirSync(path("folder"));
    assert.equal(
      logvane(["model", "export", "--onnx", path("folder"), ...at]).stdout,
      `${path("folder/window.onnx")}\n`,
    );
    assert.deepEqual(readFileSync(path("folder/window.onnx")), readFileSync(path("m.window.onnx")));
    const model = readOnnx(readFileSync(path("m.window.onnx")));
    const names = JSON.parse(model.metadata.get("logvane.counts")!) as { name: string }[];
    assert.deepEqual(
      names.map((c) => c.name),
      ["a", "b", HOSTILE],
    );
    assert.equal(model.metadata.get("logvane.model"), "abc222");
    const rows = lowRankRows(7, 3, SHAPE);
    const matrix = (data: Float32Array): Tensor => ({
      dims: [7, data.length / 7],
      data: Float64Array.from(data),
    });
    const score = runOnnx(model, {
      counts: matrix(rows.counts),
      offset: matrix(rows.offset),
      conditions: matrix(rows.conditions),
      mask: matrix(new Float32Array(7 * 3).fill(1)),
    }).get("score")!.data;
    for (const [i, own] of elbo(VAE, rows).entries()) assert.ok(Math.abs(score[i]! - own) < 1e-4 * own);
  });
});
