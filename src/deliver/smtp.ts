import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { rootCertificates } from "node:tls";
import SmtpConnection from "nodemailer/lib/smtp-connection";
import type { SmtpConfig } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { readSecret } from "./secret.ts";
import type { Outcome } from "./sender.ts";

/** Times in milliseconds. */
export type SmtpLimits = {
  readonly connect: number;
  readonly greeting: number;
  /** Without a byte from the server. A filter that looks at mail before it is taken may need minutes after DATA. */
  readonly idle: number;
  /** For one mail in all. */
  readonly total: number;
};
const LIMITS: SmtpLimits = { connect: 30_000, greeting: 60_000, idle: 300_000, total: 420_000 };

/** What nodemailer gives back of a failure; see its errors.d.ts. */
type SmtpError = Error & {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly rejectedErrors?: readonly SmtpError[];
  readonly recipient?: string;
};
type Taken = { readonly accepted: readonly string[]; readonly rejectedErrors?: readonly SmtpError[] };

const QUIT_MS = 2000;
/** Characters of a server's reply that are kept. */
const REPLY = 200;

/** A connection to the operator's relay that is kept from one mail to the next, and made anew after any trouble. */
export class SmtpSession {
  readonly #config: SmtpConfig;
  readonly #ehlo: string | undefined;
  readonly #where: string;
  readonly #limits: SmtpLimits;
  #open: SmtpConnection | undefined;

  /** ehlo: our name; undefined: the system's. where: the setting, for messages. */
  constructor(config: SmtpConfig, ehlo: string | undefined, where: string, limits: Partial<SmtpLimits> = {}) {
    this.#config = config;
    this.#ehlo = ehlo;
    this.#where = where;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Sends one mail. from, to: bare addresses. Throws Fault for what is wrong with the settings. */
  async send(from: string, to: readonly string[], message: Buffer, signal: AbortSignal): Promise<Outcome> {
    const used = this.#open !== undefined;
    const first = await this.#try(from, to, message, signal);
    // A server may end a connection between two mails, or take only so many on one: that is no failure of this mail.
    if (used && first.again && !signal.aborted) return (await this.#try(from, to, message, signal)).outcome;
    return first.outcome;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    open.quit();
    setTimeout(() => open.close(), QUIT_MS).unref(); // a server that does not say goodbye must not hold the process
  }

  async #try(
    from: string,
    to: readonly string[],
    message: Buffer,
    signal: AbortSignal,
  ): Promise<{ outcome: Outcome; again: boolean }> {
    const work: { begun: boolean; connection: SmtpConnection | undefined } = {
      begun: false,
      connection: undefined,
    };
    const bytes = function* (): Generator<Buffer> {
      work.begun = true; // read only after the server has asked for the message
      yield message;
    };
    let timer: NodeJS.Timeout | undefined;
    let stop: () => void = () => undefined;
    const ended = new Promise<never>((_, fail) => {
      stop = () => fail(new Error("stopped"));
      signal.addEventListener("abort", stop, { once: true });
      timer = setTimeout(() => fail(new Error("took too long")), this.#limits.total);
    });
    try {
      if (signal.aborted) throw new Error("stopped");
      const sending = (async () => {
        work.connection = this.#open ?? (await this.#connect((c) => (work.connection = c)));
        return await transfer(work.connection, from, to, Readable.from(bytes()), message.length);
      })();
      sending.catch(() => undefined); // when `ended` was first
      const taken = await Promise.race([sending, ended]);
      this.#open = work.connection;
      return { outcome: outcomeOf(taken), again: false };
    } catch (error) {
      this.#open = undefined;
      work.connection?.close();
      if (error instanceof Fault) throw error;
      return failed(error as SmtpError, work.begun);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  /** made: told of the connection before it is up, to be closed if that takes too long. */
  async #connect(made: (connection: SmtpConnection) => void): Promise<SmtpConnection> {
    const { host, port, security, authority, user, passwordFile } = this.#config;
    if (user !== undefined && security === "none" && !isLoopback(host)) throw this.#openPassword();
    const password =
      passwordFile === undefined ? undefined : readSecret(passwordFile, `${this.#where}, password_file`);
    const connection = new SmtpConnection({
      host,
      port,
      name: this.#ehlo,
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "none",
      tls: {
        minVersion: "TLSv1.2",
        ...(authority === undefined ? {} : { ca: [...rootCertificates, this.#authority(authority)] }),
      },
      connectionTimeout: this.#limits.connect,
      greetingTimeout: this.#limits.greeting,
      socketTimeout: this.#limits.idle,
      socketCloseTimeout: 1000,
    });
    made(connection);
    await new Promise<void>((done, fail) => {
      connection.on("error", fail); // stays, so that a late error is not thrown at the process
      connection.connect((error) => (error === undefined ? done() : fail(error)));
    });
    if (user !== undefined && password !== undefined)
      await new Promise<void>((done, fail) => {
        connection.once("error", fail);
        connection.login({ user, pass: password }, (error) => (error === null ? done() : fail(error)));
      });
    return connection;
  }

  #authority(path: string): Buffer {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Fault(
        "configuration",
        `cannot read the certificate of an authority: ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
        `${this.#where}, authority`,
        "no mail is sent; what waits is kept",
        "check the path, and that the user that Logvane runs as may read it",
      );
    }
  }

  #openPassword(): Fault {
    return new Fault(
      "configuration",
      `the password for ${this.#config.host} would go over the network unencrypted`,
      `${this.#where}, security`,
      "no mail is sent; what waits is kept",
      'set security = "starttls" or "tls", or leave user and password_file out',
    );
  }
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

function transfer(
  connection: SmtpConnection,
  from: string,
  to: readonly string[],
  message: Readable,
  size: number,
): Promise<Taken> {
  return new Promise((done, fail) => {
    connection.once("error", fail);
    connection.send({ from, to: [...to], size }, message, (error, info) => {
      connection.removeListener("error", fail);
      if (error === null) done(info as unknown as Taken);
      else fail(error);
    });
  });
}

/** 503 is a matter of the session. A mail above the server's SIZE is not even offered to it. */
const isRefusal = (error: SmtpError): boolean =>
  error.responseCode === undefined
    ? error.code === "EMESSAGE" && error.command === "MAIL FROM"
    : error.responseCode >= 500 && error.responseCode !== 503;

/** Taken for some recipients at least. */
function outcomeOf({ accepted, rejectedErrors = [] }: Taken): Outcome {
  if (rejectedErrors.length === 0) return { result: "sent" };
  const error = rejectedErrors.map((e) => `${e.recipient ?? "a recipient"}: ${reply(e)}`).join("; ");
  if (rejectedErrors.every(isRefusal)) return { result: "sent", note: `refused for ${error}` };
  return { result: "retry", error, reached: accepted };
}

/** again: whether a new connection may do at once. begun: whether the message was on its way. */
function failed(error: SmtpError, begun: boolean): { outcome: Outcome; again: boolean } {
  const text = reply(error);
  const refused =
    error.command === "RCPT TO" && error.rejectedErrors !== undefined
      ? error.rejectedErrors.every(isRefusal)
      : isRefusal(error) && /^(MAIL FROM|RCPT TO|DATA)$/.test(error.command ?? "");
  if (refused) return { outcome: { result: "refused", error: text }, again: false };
  const unsure = begun && error.responseCode === undefined;
  return {
    outcome: {
      result: "retry",
      error: unsure ? `${text}; whether the mail was taken is not known` : text,
    },
    again: !begun,
  };
}

/** What the server said, or what happened, on one line. */
function reply(error: SmtpError): string {
  const text = error.response ?? error.message;
  return text.replace(/\s+/g, " ").slice(0, REPLY);
}
