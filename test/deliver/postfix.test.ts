import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ownMailKey } from "../../src/mail/own.ts";
import { notificationKey } from "../../src/report/notification.ts";
import { HOSTILE, hostileAlert } from "../report/support.ts";
import { needs } from "../support/need.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import {
  alertTold,
  delivererOf,
  folder,
  mailChannel,
  openOutbox,
  parseMail,
  reportTold,
  smtp,
} from "./support.ts";

const root = process.getuid?.() === 0;
const missing = needs("postfix", "sendmail");

suite("a real Postfix", root || missing.skip !== undefined ? missing : { skip: "needs root" }, () => {
  let postfix: Postfix;
  before(async () => {
    postfix = await startPostfix(folder());
  });
  after(() => postfix.stop());

  /** Waits until so many mails have arrived. */
  async function arrived(n: number): Promise<Buffer[]> {
    for (let i = 0; i < 200 && postfix.mails().length < n; i++) await sleep(100);
    return postfix.mails();
  }

  test("brings alerts and reports into a mailbox, by SMTP and by sendmail, each once and as composed", async () => {
    const hostile = {
      ...hostileAlert(),
      id: "bad0",
      closedAt: null,
      title: `.\r\n.\r\nFrom x\r\n${HOSTILE}`,
    };
    const told = [
      alertTold({ id: "a1" }),
      alertTold({ id: "a1", closedAt: Date.UTC(2026, 8, 21, 6) }, "closed"),
      alertTold({ ...hostile, id: "bad0" }),
      alertTold({
        id: "a2",
        summary: ".",
        lines: [{ file: "f", line: 1, text: `From here\n.\n..x ${"é".repeat(2000)}` }],
      }),
      reportTold,
    ];
    const channels = [
      mailChannel(smtp(postfix.port), { name: "smtp" }),
      mailChannel({ by: "sendmail", program: postfix.sendmail }, { name: "sendmail" }),
    ];
    const outbox = openOutbox();
    for (const n of told)
      outbox.enqueue(
        notificationKey(n),
        JSON.stringify(n),
        ["smtp", "sendmail"],
        Date.UTC(2026, 8, 21, 2, 31),
      );
    const { deliverer, said } = delivererOf(outbox, channels);
    assert.deepEqual(await deliverer.drain(), { sent: 10, failed: 0, givenUp: 0, nextAt: undefined });
    assert.deepEqual(said, []);
    const mails = await Promise.all((await arrived(10)).map(parseMail));
    assert.equal(mails.length, 10);
    for (const n of told) {
      const key = notificationKey(n);
      const twins = mails.filter((mail) => ownMailKey(mail.messageId ?? "", "mx1.example") === key);
      assert.equal(twins.length, 2, key);
      const [a, b] = twins;
      assert.deepEqual([a!.text, a!.html, a!.subject, a!.date], [b!.text, b!.html, b!.subject, b!.date]);
      assert.equal(a!.date, "2026-09-21T02:31:00.000Z");
      assert.deepEqual(
        a!.to?.map((t) => t.address),
        ["ops@example.org"],
      );
      assert.equal(a!.from?.address, "logvane@mx1.example");
      assert.equal(a!.headers.find((h) => h.key === "return-path")?.value, "<logvane@mx1.example>");
    }
    const closed = mails.find((mail) => mail.subject?.includes("over:"));
    assert.equal(closed?.inReplyTo, "<alert.a1.opened@logvane.mx1.example>");
    assert.match(
      mails.find((mail) => mail.messageId?.includes("a2"))!.text!,
      /^ {2}From here\\x0a\.\\x0a\.\.x é{900}/m,
    );
  });
  test("logs our Message-IDs so that our own mail can be told from others'", async () => {
    const ids = [...postfix.log().matchAll(/message-id=(\S+)/g)].map((m) => m[1]!);
    assert.ok(ids.length >= 10);
    for (const id of ids) assert.ok(ownMailKey(id, "mx1.example") !== undefined, id);
  });
  test("refuses a recipient that is not its own, and that is a refusal", async () => {
    const outbox = openOutbox();
    const channel = mailChannel(smtp(postfix.port), { to: ["nobody@elsewhere.example"] });
    const n = alertTold({ id: "a9" });
    outbox.enqueue(notificationKey(n), JSON.stringify(n), ["mail"], Date.UTC(2026, 8, 21));
    const { deliverer, faults } = delivererOf(outbox, [channel]);
    assert.equal((await deliverer.drain()).failed, 1);
    assert.match(faults[0]!.message, /5\.[17]\.|5\.0\.0|550|554|no other mail/);
  });
});
