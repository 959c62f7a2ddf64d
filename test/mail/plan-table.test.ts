import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PlanTable } from "../../src/mail/plan-table.ts";
import { plainReader } from "./support.ts";

const plan = (templateId: string) => plainReader().readText("f", 1, templateId).plan;

/** Opendkim tells the first letters of a signature in base64; without a digit among them they pass for a word. */
const signature = (n: number): string => {
  const letters = [...String(n).padStart(8, "0")].map((digit) => "gkmprtvxyz"[Number(digit)]).join("");
  return `Nov 28 17:34:46 mx opendkim[7]: 6731E3DEA0: signature=${letters} domain=a.example selector=s1 result="no signature error"`;
};

suite("plans by the keys of messages", () => {
  test("are kept, 64 of one template, whatever comes after", () => {
    const reader = plainReader();
    const seen = (n: number): object => reader.readText("f", 1, signature(n)).plan;
    const first = Array.from({ length: 200 }, (_, n) => seen(n));
    const again = Array.from({ length: 200 }, (_, n) => seen(n));
    assert.equal(first.filter((one, n) => one === again[n]).length, 64);
    const other = "Nov 28 17:34:46 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.1] ehlo=1 quit=1";
    assert.equal(reader.readText("f", 1, other).plan, reader.readText("f", 1, other).plan);
  });

  test("of one template are all the same to look at", () => {
    const reader = plainReader();
    const texts = Array.from({ length: 100 }, (_, n) => reader.readText("f", 1, signature(n)));
    assert.equal(new Set(texts.map(({ templateId, event }) => `${templateId} ${event}`)).size, 1);
  });

  test("make room for others of their template where they are overwritten", () => {
    const table = new PlanTable();
    const [a, b] = [plan("a") as never, { ...plan("b"), templateId: "b" } as never];
    for (let i = 0; i < 64; i++) table.set(i * 64, i, a); // apart from each other
    table.set(1 << 20, 7, a);
    assert.equal(table.get(1 << 20, 7), undefined);
    for (let i = 0; i < 8; i++) table.set(i << 20, 100 + i, b); // where the first one stands: its eight places are full now
    table.set(9 << 20, 99, b);
    assert.equal(table.get(0, 0), undefined);
    table.set(5, 200, a);
    assert.equal(table.get(5, 200), a);
  });
});
