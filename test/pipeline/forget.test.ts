import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { pseudonym } from "../../src/detect/entity.ts";
import { accountMark, EntityReader } from "../../src/feature/entity.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { hash64 } from "../../src/math/hash.ts";
import { Forgetter, isOwnWord, unmarkedPairs } from "../../src/pipeline/forget.ts";
import type { Model } from "../../src/pipeline/model.ts";
import { modelMark, type SavedDetector } from "../../src/pipeline/saved.ts";
import { QUICKSTART, readerOf } from "./support.ts";

const without = (name: string, text: string): string => new Forgetter([name]).text(text);

suite("a name that is forgotten", () => {
  test("goes wherever it stands as a whole, in any case", () => {
    const ann = (text: string): string => without("ann@example.org", text);
    assert.equal(ann("from=<Ann@Example.org>, to=<bob@x.example>"), "from=<[forgotten]>, to=<bob@x.example>");
    assert.equal(ann("mail of ann@example.org."), "mail of [forgotten].");
    assert.equal(ann("<ann+news@example.org>"), "<[forgotten]>");
    assert.equal(ann("<list+ann=example.org@lists.example>"), "<list+[forgotten]@lists.example>");
    assert.equal(
      without("192.0.2.7", "from unknown[192.0.2.7]:25, 192.0.2.7: no"),
      "from unknown[[forgotten]]:25, [forgotten]: no",
    );
    assert.equal(without("2001:db8::1", "rip=2001:db8::1, lip=::1"), "rip=[forgotten], lip=::1");
    assert.equal(without("ann", "user=<ann>, /home/ann/mail"), "user=<[forgotten]>, /home/[forgotten]/mail");
  });
  test("is not taken out of a longer one", () => {
    for (const [name, text] of [
      ["ann@example.org", "joann@example.org jo.ann@example.org ann@example.organ ann@example.org.au"],
      ["192.0.2.7", "192.0.2.77 1192.0.2.7 192.0.2.7.5"],
      ["ann", "annual ann@example.org ann.b hannah"],
    ] as const)
      assert.equal(without(name, text), text);
  });
  test("goes where a text was cut within it", () => {
    assert.equal(without("ann@example.org", "mail of ann@exam…"), "mail of [forgotten]…");
    assert.equal(without("ann@example.org", "mail of an…"), "mail of an…");
  });
  test("leaves maps, sets and order as they are, and words of ours alone", () => {
    const data = {
      kind: "ann",
      ids: new Set(["b", "ann", "c"]),
      by: new Map([
        ["ann", [1]],
        ["bob", [2]],
      ]),
      numbers: new Float32Array(2),
    };
    const forgetter = new Forgetter(["ann"]);
    forgetter.data(data);
    assert.deepEqual([...data.ids], ["b", "[forgotten]", "c"]);
    assert.deepEqual(
      [...data.by],
      [
        ["[forgotten]", [1]],
        ["bob", [2]],
      ],
    );
    assert.deepEqual([data.kind, forgetter.count], ["ann", 2]);
  });
  test("can't be a word that records are made of", () => {
    assert.deepEqual(
      ["account", "bruteforce", "ann"].map((name) => isOwnWord(name, [])),
      [true, true, false],
    );
  });
});

suite("a model without a name", () => {
  const salt = "salt";
  const feature = ENTITY_FEATURES.findIndex((f) => f.regular === "also");
  const nameOf = (key: string): string => pseudonym(salt, feature, key);
  const floats = new Float32Array(1);
  const model = {
    ...{ from: 0, to: 1, events: 2, absence: { streams: [] } },
    window: { columns: [], upperCeiling: floats, lowerCeiling: floats, alpha: floats },
    entity: {
      salt,
      features: ENTITY_FEATURES.map(() => ({
        known: { [nameOf("ann")]: [1], [nameOf("bob")]: [2] },
        remembered: { [nameOf("ann")]: [1], [nameOf("bob")]: [2] },
      })),
    },
    regular: {
      regulars: [
        { feature, name: nameOf("ann") },
        { feature, name: nameOf("bob") },
      ],
    },
  } as unknown as Model;
  const pair = (account: string): string => `${accountMark(salt, account)}0123456789abcdef`;
  const pairs = {
    used: [pair("ann"), pair("bob")],
    tried: [pair("ann"), "0123456789abcdef"],
    usedAt: [5, 7],
  };

  test("has neither its pseudonyms nor its pairs, nor has the detector that goes on with it", () => {
    const forgetter = new Forgetter(["Ann"]);
    const without = forgetter.model(model, pairs);
    assert.deepEqual(without.pairs, {
      ...{ used: [pair("bob")], tried: ["0123456789abcdef"], usedAt: [7] },
    });
    assert.deepEqual(
      without.model.regular.regulars.map(({ name }) => name),
      [nameOf("bob")],
    );
    const { known, remembered } = without.model.entity.features[feature]!;
    for (const table of [known, remembered!]) assert.deepEqual(Object.keys(table), [nameOf("bob")]);
    assert.deepEqual([forgetter.pairs, unmarkedPairs(pairs)], [2, 1]);
    const watched = new Map([
      [`${feature} ${nameOf("ann")}`, { key: "ann" }],
      [`${feature} ${nameOf("bob")}`, { key: "bob" }],
    ]);
    const reader = { used: new Set(pairs.used), tried: new Set(pairs.tried) };
    const saved = { model: modelMark(model), regulars: { watched }, reader } as unknown as SavedDetector;
    const next = forgetter.detector(saved, without.model);
    assert.deepEqual([...next.regulars.watched.keys()], [`${feature} ${nameOf("bob")}`]);
    assert.deepEqual([...next.reader.used], [pair("bob")]);
    assert.deepEqual(
      [next.model === modelMark(without.model), next.model === modelMark(model)],
      [true, false],
    );
  });
});

suite("networks of an account", () => {
  const logIn = readerOf(QUICKSTART, 2026).readText(
    "mail.log",
    1,
    "Jan  5 10:00:00 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=1, TLS, session=<a>",
  );
  const firsts = (reader: EntityReader): number => {
    const out: { feature: number; key: string; count: number }[] = [];
    reader.read(logIn, out);
    return out.length;
  };
  test("are known by its mark, and by pairs of before that have none", () => {
    const reader = new EntityReader("salt");
    const fresh = firsts(reader);
    const known = firsts(new EntityReader("salt", reader.pairs));
    assert.ok(fresh > known);
    const old = [hash64("salt ann 192.0.2.0/24")];
    assert.equal(firsts(new EntityReader("salt", { used: old, tried: old })), known);
    assert.equal(firsts(new EntityReader("salt", { used: ["x"], tried: [] })), fresh);
  });
});
