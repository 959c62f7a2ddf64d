import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { isHostName } from "../../src/config/forms.ts";
import { configText } from "../../src/config/write.ts";
import { FULL, read } from "./support.ts";

/** A piece to put in: from the grammar of TOML, any character, or a stretch of the file itself. */
const piece = fc.oneof(
  fc.constantFrom(
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    '"',
    "'",
    '"""',
    "#",
    "\n",
    "\r\n",
    ".",
    ",",
    "true",
    "1e9",
    "nan",
    "07:30:00",
    "\\u0000",
    "\ufeff",
  ),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.tuple(fc.nat(FULL.length), fc.nat(30)).map(([at, n]) => FULL.slice(at, at + n)),
);
const edit = fc.record({ at: fc.nat(FULL.length), remove: fc.nat(20), insert: piece });

suite("any edit of a good file", () => {
  test("is read or complained of, with places inside the file", () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = FULL;
        for (const { at, remove, insert } of edits)
          text = text.slice(0, at) + insert + text.slice(at + remove);
        const { mistakes, config } = read(text);
        const lines = text.replace(/^\ufeff/, "").split("\n");
        for (const { line, column, what, allowed } of mistakes) {
          assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
          assert.ok(column >= 1 && column <= lines[line - 1]!.length + 1, `column ${column} of line ${line}`);
          assert.ok(what.length > 0 && what.length < 300 && allowed.length > 0);
        }
        assert.ok(config.alerts.perDay >= 1);
        assert.equal(
          new Set(config.channels.map((c) => c.name)).size === config.channels.length || mistakes.length > 0,
          true,
        );
      }),
      { numRuns: 1500 },
    );
  });

  test("that misspells one key by one letter names that key, its line and its column", () => {
    const keys = [...FULL.matchAll(/^([a-z_]{4,}) =/gm)].map((m) => ({ at: m.index, key: m[1]! }));
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.nat(30),
        fc.constantFrom("q", "z"),
        ({ at, key }, where, letter) => {
          const spot = where % key.length;
          const wrong = key.slice(0, spot) + (key[spot] === letter ? "x" : letter) + key.slice(spot + 1);
          const text = FULL.slice(0, at) + wrong + FULL.slice(at + key.length);
          const line = FULL.slice(0, at).split("\n").length;
          const found = read(text).mistakes.find((m) => m.line === line && m.column === 1);
          assert.ok(found !== undefined, wrong);
          assert.match(found.what, new RegExp(`secret|did you mean|no key "${wrong}"`));
        },
      ),
    );
  });
});

suite("a first configuration", () => {
  test("is without a mistake, and says what was found", () => {
    const host = fc.domain().filter(isHostName);
    fc.assert(
      fc.property(
        host,
        fc.array(host, { maxLength: 5 }),
        fc.array(fc.constantFrom("/var/log/mail.log", '/srv/a "b"/x\\y', "/var/log/größe.log"), {
          maxLength: 3,
        }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9999 }),
        fc.constantFrom("smtp" as const, "sendmail" as const, undefined),
        fc.boolean(),
        (name, domains, paths, journal, perDay, via, prior) => {
          const mail = via && { to: ["root", "ann@example.org"], from: `logvane@${name}`, via };
          const known = { name, domains, paths, journal, timezone: "Europe/Berlin", perDay, prior };
          const text = configText({ ...known, mail });
          const { config, mistakes } = read(text);
          assert.deepEqual(mistakes, []);
          assert.deepEqual(config.server, { name, domains });
          assert.deepEqual(
            [config.log.paths, config.log.journal, config.alerts.perDay, config.retrain.prior],
            [paths, journal, perDay, prior],
          );
          assert.equal(config.channels.length, via === undefined ? 0 : 1);
        },
      ),
    );
  });

  test("has the defaults where it names them", () => {
    const draft = {
      name: "mx1.example.org",
      domains: [],
      paths: [],
      journal: false,
      timezone: "UTC",
      perDay: 2,
      prior: false,
    };
    const { path: _, ...written } = read(configText({ ...draft, mail: undefined })).config;
    const { path: __, ...defaults } = read("").config;
    assert.deepEqual(written, defaults);
  });
});
