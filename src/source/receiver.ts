import { createSocket } from "node:dgram";
import { readFileSync, statSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { ListenConfig } from "../config/config.ts";
import { Deframer } from "./framing.ts";

/** Senders connected at once; when there are more, the one that has been silent longest makes room. */
const MAX_CONNECTIONS = 200;
/** A connection is closed after so long without a byte; collectors keep theirs open over quiet nights. */
const IDLE_MS = 3_600_000;
const HANDSHAKE_MS = 10_000;
/** Bytes of datagrams that the system keeps while we are busy. */
const DATAGRAM_ROOM = 4 * 1024 * 1024;
/** A certificate that was renewed is taken up within this time. */
const RENEW_MS = 60_000;
/** Senders that wait are looked after so often. */
const RESUME_MS = 50;

export type ReceiverEvents = {
  /** A message, without its frame, and the address of its sender. Valid until it returns. False: senders that can wait should. */
  readonly onMessage: (message: Uint8Array, sender: string) => boolean;
  /** The listener can't listen (any more). */
  readonly onError: (error: Error) => void;
};

/** Takes messages of syslog over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425). */
export class Receiver {
  /** Where it listens: the port that the system gave, if none was asked for. */
  port = 0;
  private readonly config: ListenConfig;
  private readonly events: ReceiverEvents;
  private readonly connections = new Map<Socket, number>();
  /** Stops listening. */
  private stop: () => Promise<void> = async () => undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(config: ListenConfig, events: ReceiverEvents) {
    this.config = config;
    this.events = events;
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    if (this.config.protocol === "udp") await this.openDatagrams();
    else await this.openStreams();
  }

  async close(): Promise<void> {
    clearInterval(this.renewal);
    for (const socket of this.connections.keys()) socket.destroy();
    await this.stop();
    this.stop = async () => undefined;
  }

  private async openDatagrams(): Promise<void> {
    const { address, port } = this.config;
    const socket = createSocket({
      type: address.includes(":") ? "udp6" : "udp4",
      recvBufferSize: DATAGRAM_ROOM,
    });
    await new Promise<void>((done, fail) => {
      socket.once("error", fail);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off("error", fail);
        done();
      });
    });
    this.port = socket.address().port;
    this.stop = () => new Promise((done) => socket.close(() => done()));
    socket.on("error", this.events.onError);
    socket.on("message", (message, from) => void this.events.onMessage(message, plainAddress(from.address)));
  }

  private async openStreams(): Promise<void> {
    const { address, port, protocol } = this.config;
    const options = { handshakeTimeout: HANDSHAKE_MS, ...(protocol === "tls" ? this.certificates() : {}) };
    const server =
      protocol === "tls"
        ? createTlsServer(options, (socket) => this.connected(socket))
        : createServer((socket) => this.connected(socket));
    server.on("tlsClientError", () => undefined); // a stranger that speaks no TLS
    server.maxConnections = 2 * MAX_CONNECTIONS; // with those that are still shaking hands
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen({ host: address, port, exclusive: true }, () => {
        server.off("error", fail);
        done();
      });
    });
    this.port = (server.address() as { port: number }).port;
    this.stop = () => new Promise((done) => server.close(() => done()));
    server.on("error", this.events.onError);
    if (protocol === "tls") this.renew(server as TlsServer);
  }

  private certificates(): { cert: Buffer; key: Buffer } {
    return { cert: readFileSync(this.config.certificate!), key: readFileSync(this.config.key!) };
  }

  /** Takes up a new certificate without closing anything. One that can't be read leaves the old one in use. */
  private renew(server: TlsServer): void {
    const times = (): string =>
      [this.config.certificate!, this.config.key!].map((path) => statSync(path).mtimeMs).join(" ");
    let known = times();
    this.renewal = setInterval(() => {
      try {
        const now = times();
        if (now === known) return;
        server.setSecureContext(this.certificates());
        known = now;
      } catch {
        // half written: the next time
      }
    }, RENEW_MS);
    this.renewal.unref();
  }

  private connected(socket: Socket): void {
    const sender = plainAddress(socket.remoteAddress ?? "unknown");
    const { connections } = this;
    if (connections.size >= MAX_CONNECTIONS) [...connections].sort((a, b) => a[1] - b[1])[0]![0].destroy();
    connections.set(socket, performance.now());
    let room = true;
    const frames = new Deframer((message) => {
      room = this.events.onMessage(message, sender);
    });
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      frames.end();
      connections.delete(socket);
    });
    socket.on("data", (chunk) => {
      connections.set(socket, performance.now());
      frames.push(chunk);
      if (room) return;
      socket.pause();
      setTimeout(() => socket.resume(), RESUME_MS);
    });
  }
}

/** `::ffff:192.0.2.1` is 192.0.2.1. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:/, "").replace(/%.*$/, "");
