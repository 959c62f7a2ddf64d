import { connect, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket, connect as tlsConnect } from "node:tls";

/** Nobody of the lab waits longer for a line; real clients give up, too. */
const PATIENCE_MS = 20_000;

/** A connection on which lines are spoken, in the clear and, from some time on, under TLS. */
export class Wire {
  private socket: Socket;
  private buffer = "";
  private ended = false;
  private waiting: (() => void) | undefined;
  private readonly onData = (data: Buffer): void => {
    this.buffer += data.toString("latin1");
    this.waiting?.();
  };
  private readonly onEnd = (): void => {
    this.ended = true;
    this.waiting?.();
  };

  constructor(socket: Socket) {
    this.socket = socket;
    this.listen();
  }

  /** Connects from one of our addresses, a client's, to a port of the server. */
  static open(from: string, host: string, port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, localAddress: from });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Wire(socket));
      });
    });
  }

  /** The next line without its CR LF; undefined when the other side has gone or says nothing. */
  async line(): Promise<string | undefined> {
    for (const until = Date.now() + PATIENCE_MS; ; ) {
      const lf = this.buffer.indexOf("\n");
      if (lf >= 0) {
        const line = this.buffer.slice(0, lf).replace(/\r$/, "");
        this.buffer = this.buffer.slice(lf + 1);
        return line;
      }
      if (this.ended || Date.now() >= until) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, until - Date.now()));
        this.waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.waiting = undefined;
    }
  }

  send(text: string): void {
    if (!this.ended) this.socket.write(`${text}\r\n`);
  }

  /** Begins TLS as a client. Rejects when the handshake fails. */
  secure(ca?: string): Promise<void> {
    this.quiet();
    return new Promise((resolve, reject) => {
      const options =
        ca === undefined ? { rejectUnauthorized: false } : { ca, servername: "mail.nordhav.example" };
      const secured = tlsConnect({ socket: this.socket, ...options }, resolve);
      secured.once("error", reject);
      this.socket = secured;
      this.listen();
    });
  }

  /** Begins TLS as a server. */
  secureServer(context: SecureContext): void {
    this.quiet();
    this.socket = new TLSSocket(this.socket, { isServer: true, secureContext: context });
    this.listen();
  }

  end(): void {
    this.socket.end();
  }

  /** Goes without a word. */
  drop(): void {
    this.socket.destroy();
  }

  private listen(): void {
    this.socket.on("data", this.onData);
    this.socket.on("end", this.onEnd);
    this.socket.on("close", this.onEnd);
    this.socket.on("error", this.onEnd);
  }

  private quiet(): void {
    this.socket.off("data", this.onData);
    this.socket.off("end", this.onEnd);
    this.socket.off("close", this.onEnd);
  }
}

export const contextOf = (key: string, cert: string): SecureContext => createSecureContext({ key, cert });

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
