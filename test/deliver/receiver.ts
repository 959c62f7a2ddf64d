import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";

/** A mail as it was received. id: its Message-ID. */
export type Received = { readonly id: string; readonly raw: Buffer; readonly to: readonly string[] };

/** What a receiver says or does at each step; undefined: takes it. */
export type Behaviour = {
  greeting?: string;
  /** Answer to RCPT of an address. */
  rcpt?: (address: string) => string | undefined;
  mail?: string;
  /** SIZE that is offered, in bytes. */
  size?: number;
  /** Answer to the end of a mail. */
  done?: (n: number) => string | undefined;
  /** Cuts the connection off: in the middle of the message, or when it has taken all but not said so. */
  cut?: (n: number) => "data" | "after" | undefined;
  /** Milliseconds before each answer. */
  slowMs?: number;
  /** Answer to the end of a mail does not come. */
  silent?: boolean;
  /** Mails on one connection at most; then 421. */
  mailsPerConnection?: number;
};

/** A plain SMTP server that does as it is told, for what smtp-server is too polite for. */
export class Receiver {
  readonly received: Received[] = [];
  behaviour: Behaviour = {};
  connections = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  #count = 0;

  async start(port = 0, host = "127.0.0.1"): Promise<number> {
    this.#server = createServer((socket) => this.#talk(socket));
    await new Promise<void>((done) => this.#server!.listen(port, host, done));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((done) => this.#server?.close(() => done()) ?? done());
    this.#server = undefined;
  }

  ids(): string[] {
    return this.received.map((mail) => mail.id);
  }

  #talk(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    const state = { data: undefined as Buffer[] | undefined, to: [] as string[], mails: 0 };
    const say = (text: string): void => {
      if (this.behaviour.slowMs === undefined) socket.write(`${text}\r\n`);
      else setTimeout(() => socket.writable && socket.write(`${text}\r\n`), this.behaviour.slowMs);
    };
    say(this.behaviour.greeting ?? "220 receiver ESMTP");
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        if (state.data !== undefined) {
          const end = rest.indexOf("\r\n.\r\n");
          if (this.behaviour.cut?.(this.#count) === "data") {
            this.#count++;
            socket.destroy();
            return;
          }
          if (end < 0) return;
          const raw = Buffer.from(rest.subarray(0, end + 2));
          rest = rest.subarray(end + 5);
          state.data = undefined;
          this.#end(socket, raw, state, say);
          continue;
        }
        const line = rest.indexOf("\r\n");
        if (line < 0) return;
        const command = rest.subarray(0, line).toString("latin1");
        rest = rest.subarray(line + 2);
        this.#command(socket, command, state, say);
      }
    });
  }

  #command(
    socket: Socket,
    command: string,
    state: { data: Buffer[] | undefined; to: string[]; mails: number },
    say: (text: string) => void,
  ): void {
    const address = /<([^>]*)>/.exec(command)?.[1] ?? "";
    const { size } = this.behaviour;
    if (/^(EHLO|HELO)/i.test(command))
      say(size === undefined ? "250 receiver" : `250-receiver\r\n250 SIZE ${size}`);
    else if (/^MAIL/i.test(command)) {
      state.to = [];
      const full = this.behaviour.mailsPerConnection ?? Number.POSITIVE_INFINITY;
      say(state.mails >= full ? "421 4.7.0 too many mails" : (this.behaviour.mail ?? "250 ok"));
    } else if (/^RCPT/i.test(command)) {
      const answer = this.behaviour.rcpt?.(address);
      if (answer === undefined) state.to.push(address);
      say(answer ?? "250 ok");
    } else if (/^DATA/i.test(command)) {
      state.data = [];
      say("354 go on");
    } else if (/^QUIT/i.test(command)) {
      say("221 bye");
      socket.end();
    } else say("250 ok");
  }

  #end(
    socket: Socket,
    raw: Buffer,
    state: { to: string[]; mails: number },
    say: (text: string) => void,
  ): void {
    const n = this.#count++;
    state.mails++;
    const answer = this.behaviour.done?.(n);
    if (answer === undefined) {
      const id = /^message-id:\s*(\S+)/im.exec(raw.toString("latin1"))?.[1] ?? "";
      this.received.push({
        id,
        raw: Buffer.from(raw.toString("latin1").replace(/^\.\./gm, "."), "latin1"),
        to: state.to,
      });
    }
    if (this.behaviour.cut?.(n) === "after") socket.destroy();
    else if (this.behaviour.silent !== true) say(answer ?? "250 taken");
  }
}
