import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { LineCutter } from "../../src/log/lines.ts";
import { OwnMail } from "../../src/mail/own-mail.ts";
import { plainReader } from "./support.ts";

const OURS = "report.2026-11-28@logvane.mx.example";

/** Numbers of the lines that are of our own mail. after: goes on in a new one after that line. */
function owned(texts: readonly string[], after = texts.length): number[] {
  const isOurs = (id: string): boolean => id === OURS;
  let own = new OwnMail(isOurs);
  const reader = plainReader();
  const found: number[] = [];
  for (const lines of new LineCutter().push(Buffer.from(`${texts.join("\n")}\n`)))
    for (let i = 0; i < lines.count; i++) {
      if (i === after) {
        const next = new OwnMail(isOurs);
        next.restore(own.save());
        own = next;
      }
      if (own.owns(reader.read("f", lines, i))) found.push(i);
    }
  return found;
}
const line = (text: string, host = "mx"): string => `Nov 29 12:00:00 ${host} ${text}`;
const mail = (id: string, host = "mx"): string[] => [
  line(`postfix/smtpd[1]: ${id}: client=localhost[127.0.0.1]`, host),
  line(`postfix/cleanup[2]: ${id}: message-id=<${OURS}>`, host),
  line(`postfix/qmgr[3]: ${id}: from=<logvane@mx.example>, size=900, nrcpt=1 (queue active)`, host),
  line(`postfix/qmgr[3]: ${id}: removed`, host),
];

suite("mail that Logvane itself sent", () => {
  test("is known from its Message-ID on, until Postfix removes it", () => {
    assert.deepEqual(owned([...mail("4A1B2C3D4E"), line("postfix/qmgr[3]: 4A1B2C3D4E: removed")]), [1, 2, 3]);
  });

  test("is known after a restart, too", () => assert.deepEqual(owned(mail("4A1B2C3D4E"), 2), [1, 2, 3]));

  test("is not another host's mail under the same queue id", () => {
    const other = line("postfix/qmgr[3]: 4A1B2C3D4E: removed", "mx2");
    const [client, id, ...rest] = mail("4A1B2C3D4E");
    assert.deepEqual(owned([client!, id!, other, ...rest]), [1, 3, 4]);
  });

  test("is known to Dovecot by its Message-ID as well", () => {
    const saved = (id: string): string =>
      line(`dovecot: lmtp(ops@mx.example)<5><s1>: msgid=<${id}>: saved mail to INBOX`);
    assert.deepEqual(owned([saved(OURS), saved("1@b.example")]), [0]);
  });

  test("is not everything that names it", () => {
    const named = line(`postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 <${OURS}>: no`);
    assert.deepEqual(owned([named, line(`dovecot: imap-login: Login: user=<${OURS}>`)]), []);
  });

  test("fills no memory while Postfix removes nothing", () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      line(`postfix/cleanup[2]: ${(0x4a1b2c3d00 + n).toString(16).toUpperCase()}: message-id=<${OURS}>`),
    );
    const own = new OwnMail(() => true);
    const reader = plainReader();
    for (const lines of new LineCutter().push(Buffer.from(`${many.join("\n")}\n`)))
      for (let i = 0; i < lines.count; i++) own.owns(reader.read("f", lines, i));
    assert.equal(own.save().length, 256);
  });
});
