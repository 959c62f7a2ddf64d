import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { SmtpConfig } from "../../src/config/config.ts";
import { mailSender } from "../../src/deliver/mail-sender.ts";
import type { Outcome } from "../../src/deliver/sender.ts";
import { Fault } from "../../src/fault.ts";
import { needs } from "../support/need.ts";
import { alertTold, context, deliveryOf, folder, mailChannel, smtp } from "./support.ts";

const never = new AbortController().signal;
type Session = { readonly secure: boolean; readonly user: unknown; readonly host: string };

suite("mail by SMTP with encryption and a password", needs("openssl"), () => {
  const dir = folder();
  const path = (name: string): string => join(dir, name);
  const ssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  const servers: SMTPServer[] = [];
  let sessions: Session[] = [];

  before(() => {
    ssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=Test CA",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
    );
    ssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-keyout",
      "key.pem",
      "-out",
      "req.pem",
    );
    writeFileSync(path("ext"), "subjectAltName=DNS:localhost");
    ssl(
      "x509",
      "-req",
      "-in",
      "req.pem",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "ext",
      "-out",
      "cert.pem",
    );
    writeFileSync(path("password"), "s3cret\n", { mode: 0o600 });
  });
  after(() => {
    for (const server of servers) server.close();
  });

  async function serve(options: SMTPServerOptions = {}): Promise<number> {
    sessions = [];
    const server = new SMTPServer({
      key: readFileSync(path("key.pem")),
      cert: readFileSync(path("cert.pem")),
      authOptional: true,
      logger: false,
      onAuth: ({ username, password }, _session, done) =>
        password === "s3cret" ? done(null, { user: username }) : done(new Error("no")),
      onData(stream, session, done) {
        stream.resume().on("end", () => {
          sessions.push({
            secure: session.secure,
            user: session.user,
            host: session.hostNameAppearsAs as string,
          });
          done();
        });
      },
      ...options,
    });
    server.on("error", () => undefined);
    servers.push(server);
    await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
    return (server.server.address() as AddressInfo).port;
  }
  async function send(port: number, change: Partial<SmtpConfig>): Promise<Outcome> {
    const config = smtp(port, { host: "localhost", authority: path("ca.pem"), ...change });
    const sender = mailSender(mailChannel(config), context, { connect: 5000, greeting: 5000, idle: 5000 });
    try {
      return await sender.send(deliveryOf(alertTold()), never);
    } finally {
      sender.close();
    }
  }
  const error = (outcome: Outcome): string => (outcome.result === "sent" ? "" : outcome.error);
  const account = {
    user: "logvane",
    get passwordFile(): string {
      return path("password");
    },
  };

  test("goes out encrypted by STARTTLS, logged in, under the server's name", async () => {
    assert.deepEqual(await send(await serve(), { security: "starttls", ...account }), { result: "sent" });
    assert.deepEqual(sessions, [{ secure: true, user: "logvane", host: "mx1.example" }]);
  });
  test("goes out by TLS from the start", async () => {
    assert.equal((await send(await serve({ secure: true }), { security: "tls", ...account })).result, "sent");
    assert.deepEqual(
      sessions.map((s) => s.secure),
      [true],
    );
  });
  test("is not sent where the server does not offer STARTTLS", async () => {
    const outcome = await send(await serve({ disabledCommands: ["STARTTLS"] }), { security: "starttls" });
    assert.equal(outcome.result, "retry");
    assert.deepEqual(sessions, []);
  });
  test("is not sent to a server whose certificate nobody vouches for, or that is another's", async () => {
    const port = await serve();
    const unknown = await send(port, { security: "starttls", authority: undefined });
    assert.match(error(unknown), /certificate/);
    const other = await send(port, { security: "starttls", host: "127.0.0.1" });
    assert.match(error(other), /altnames|does not match/i);
    assert.deepEqual(sessions, []);
  });
  test("is tried again when the password is wrong, since somebody may mend it", async () => {
    writeFileSync(path("wrong"), "guess", { mode: 0o600 });
    const outcome = await send(await serve(), {
      security: "starttls",
      user: "u",
      passwordFile: path("wrong"),
    });
    assert.equal(outcome.result, "retry");
    assert.match(error(outcome), /535/);
    assert.doesNotMatch(error(outcome), /guess/);
  });
  test("reads the password file at each use, and only one that is its owner's alone", async () => {
    const port = await serve();
    const file = path("changing");
    writeFileSync(file, "old", { mode: 0o600 });
    assert.equal((await send(port, { security: "starttls", user: "u", passwordFile: file })).result, "retry");
    writeFileSync(file, "s3cret");
    assert.equal((await send(port, { security: "starttls", user: "u", passwordFile: file })).result, "sent");
    chmodSync(file, 0o640);
    assert.equal(
      (await send(port, { security: "starttls", user: "u", passwordFile: file })).result,
      "sent",
      "a group may read",
    );
    for (const [mode, what] of [
      [0o644, /open to others \(mode 0644\)/],
      [0o660, /open to others/],
    ] as const) {
      chmodSync(file, mode);
      await assert.rejects(
        send(port, { security: "starttls", user: "u", passwordFile: file }),
        (e) =>
          e instanceof Fault &&
          e.exit === "configuration" &&
          what.test(e.message) &&
          /chmod 600/.test(e.remedy),
      );
    }
    for (const text of ["", "\n", "two\nlines\n"]) {
      writeFileSync(file, text, { mode: 0o600 });
      chmodSync(file, 0o600);
      await assert.rejects(send(port, { security: "starttls", user: "u", passwordFile: file }), Fault);
    }
    rmSync(file);
    await assert.rejects(
      send(port, { security: "starttls", user: "u", passwordFile: file }),
      (e) => e instanceof Fault && /ENOENT/.test(e.message),
    );
  });
  test("never sends a password unencrypted but to the machine itself", async () => {
    const port = await serve();
    await assert.rejects(
      send(port, { host: "mail.example.org", ...account }),
      (e) => e instanceof Fault && e.exit === "configuration" && /unencrypted/.test(e.message),
    );
  });
  test("says which authority it can't read", async () => {
    await assert.rejects(
      send(await serve(), { security: "starttls", authority: path("none.pem") }),
      (e) => e instanceof Fault && /none\.pem \(ENOENT\)/.test(e.message),
    );
  });
});
