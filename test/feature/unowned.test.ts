import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ColumnRegistry } from "../../src/feature/columns.ts";
import { SlotCounter } from "../../src/feature/window.ts";
import type { MailEvent } from "../../src/mail/event.ts";
import { plainReader } from "../mail/support.ts";

const reader = plainReader();
const event = (pid: number, text: string): MailEvent =>
  reader.readText("mail.log", 1, `Mar  3 10:00:00 mx postfix/smtp[${pid}]: ${text}`);
const connects = (pid: number): MailEvent =>
  event(
    pid,
    "Trusted TLS connection established to mx.far.example[192.0.2.7]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
  );
const delivers = (pid: number): MailEvent =>
  event(pid, "4A1B2C3D41: host mx.far.example[192.0.2.7] said: 452 4.2.2 Mailbox full");

/** Lines that a slot counts of what `add` gives it. */
function counted(add: (counter: SlotCounter) => void): number {
  const registry = new ColumnRegistry();
  const counter = new SlotCounter(registry);
  add(counter);
  const slot = counter.close();
  return slot ? slot.counts[slot.ids.indexOf(registry.id("all")!)]! : 0;
}
const owned = (counter: SlotCounter, pid: number): void => {
  const line = connects(pid);
  counter.own(line, counter.add(line, 1));
};

suite("what a process says of a message before it names it", () => {
  test("is left out with the message", () =>
    assert.equal(
      counted((counter) => {
        owned(counter, 7);
        counter.leaveOut(delivers(7));
      }),
      0,
    ));
  test("is counted where another process leaves one out, and left out once", () =>
    assert.equal(
      counted((counter) => {
        owned(counter, 7);
        owned(counter, 8);
        owned(counter, 9);
        counter.leaveOut(delivers(8));
        counter.leaveOut(delivers(8));
        counter.leaveOut(delivers(10));
      }),
      2,
    ));
  test("is counted again in what comes after it", () =>
    assert.equal(
      counted((counter) => {
        owned(counter, 7);
        counter.leaveOut(delivers(7));
        owned(counter, 7);
      }),
      1,
    ));
});
