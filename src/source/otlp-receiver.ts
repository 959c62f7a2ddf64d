import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { ListenConfig } from "../config/config.ts";
import { NotOtlp, recordLine, recordsOf } from "./otlp.ts";
import { answerOf, type Refusal, Refused } from "./otlp-answer.ts";
import { plainAddress } from "./receiver.ts";

/** Where logs are sent to (OTLP/HTTP, "Request"). */
const PATH = "/v1/logs";
const MAX_CONNECTIONS = 100;
/** A request at most, as sent and unpacked, and the lines that come of it. A collector's batch of 8192 records is about as large as the first, before gzip. */
const MAX_BODY = 4 * 1024 * 1024;
const MAX_UNPACKED = 8 * 1024 * 1024;
const MAX_LINES = 8 * 1024 * 1024;
/** All requests that are being received or wait for their turn. */
const MAX_HELD = 16 * 1024 * 1024;
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
/** Collectors send every few seconds over one connection. */
const IDLE_MS = 60_000;
/** How often the limits above are looked after. */
const CHECK_MS = 5_000;
/** Requests that are being answered when the listener is closed have so long. */
const CLOSE_MS = 1_000;
/** Records read before others have their turn. */
const PORTION = 200;

const unpack = promisify(gunzip);

export type OtlpEvents = {
  /** Lines of one request. True once they are kept; false when none is: the sender shall try again. */
  readonly onLines: (lines: Buffer) => Promise<boolean>;
  readonly onRefused: (why: Refusal) => void;
  /** The listener can't listen any more. */
  readonly onError: (error: Error) => void;
  /** The system's time, milliseconds since the Unix epoch. */
  readonly now: () => number;
};

/** Takes logs by OTLP over HTTP as JSON. A request is answered when its lines are kept, so that a sender that is not answered keeps them. */
export class OtlpReceiver {
  /** Where it listens: the port that the system gave, if none was asked for. */
  port = 0;
  private readonly config: ListenConfig;
  private readonly events: OtlpEvents;
  private stop: () => Promise<void> = async () => undefined;
  private held = 0;
  /** Requests are read one after the other: unpacked ones take memory. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(config: ListenConfig, events: OtlpEvents) {
    this.config = config;
    this.events = events;
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    const { address, port } = this.config;
    const limits = { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS };
    const server = createServer(
      { ...limits, connectionsCheckingInterval: CHECK_MS },
      (request, response) => void this.requested(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen({ host: address, port, exclusive: true }, () => {
        server.off("error", fail);
        done();
      });
    });
    this.port = (server.address() as { port: number }).port;
    server.on("error", this.events.onError);
    this.stop = () => stopped(server);
  }

  async close(): Promise<void> {
    await this.stop();
    this.stop = async () => undefined;
  }

  /** Never throws: whatever it is, the sender is told. */
  private async requested(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
    try {
      const body = await this.receive(request);
      if (body === undefined) return; // the sender has gone
      const whoseTurn = this.turn;
      const lines = whoseTurn.then(() => this.linesOf(body, request));
      this.turn = lines.catch(() => undefined);
      const { bytes, empty } = await lines.finally(() => {
        this.held -= body.length;
      });
      if (bytes.length > 0 && !(await this.events.onLines(bytes))) throw new Refused("full");
      answerOf(response, type, empty);
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused("bug", (error as Error).message);
      this.events.onRefused(refused.why);
      answerOf(response, type, refused);
    }
  }

  /** The body as it was sent; undefined when it did not come whole. What is too much is passed over, so that the answer can be read. */
  private async receive(request: IncomingMessage): Promise<Buffer | undefined> {
    let refused = refusalOf(request);
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      this.held += chunk.length;
      chunks.push(chunk);
      if (length > MAX_BODY) refused ??= new Refused("large");
      if (this.held > MAX_HELD) refused ??= new Refused("busy");
      if (refused === undefined) return;
      for (const { length: dropped } of chunks) this.held -= dropped;
      chunks = [];
    });
    const whole = await new Promise<boolean>((done) => {
      request.on("end", () => done(true));
      request.on("close", () => done(false));
      request.on("error", () => done(false));
    });
    if (whole && refused === undefined) return Buffer.concat(chunks);
    for (const { length: dropped } of chunks) this.held -= dropped;
    if (whole) throw refused!;
    return undefined;
  }

  /** The lines of a request, and how many of its records have none. */
  private async linesOf(body: Buffer, request: IncomingMessage): Promise<{ bytes: Buffer; empty: number }> {
    const sender = plainAddress(request.socket.remoteAddress ?? "unknown");
    const now = this.events.now();
    const lines: Buffer[] = [];
    let size = 0;
    let empty = 0;
    try {
      for (const record of recordsOf(JSON.parse(await plainBody(body, request)))) {
        const line = recordLine(record, sender, now);
        if (line === undefined) empty++;
        else size += lines.push(line) && line.length;
        if (size > MAX_LINES) throw new Refused("large");
        if ((lines.length + empty) % PORTION === 0) await setImmediate();
      }
    } catch (error) {
      if (error instanceof NotOtlp || error instanceof SyntaxError)
        throw new Refused("no OTLP", error.message);
      throw error;
    }
    return { bytes: Buffer.concat(lines), empty };
  }
}

/** Closes a server; who is being answered gets the answer. */
async function stopped(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}

/** What a request's head says against it. */
function refusalOf({ url, method, headers }: IncomingMessage): Refused | undefined {
  if (url?.split("?")[0] !== PATH) return new Refused("path");
  if (method !== "POST") return new Refused("method");
  const type = (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
  if (type === "application/x-protobuf") return new Refused("protobuf");
  if (type !== "application/json") return new Refused("type");
  const encoding = headers["content-encoding"] ?? "identity";
  return encoding === "identity" || encoding === "gzip" ? undefined : new Refused("encoding");
}

async function plainBody(body: Buffer, { headers }: IncomingMessage): Promise<string> {
  if (headers["content-encoding"] !== "gzip") return body.toString();
  try {
    return (await unpack(body, { maxOutputLength: MAX_UNPACKED })).toString();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ERR_BUFFER_TOO_LARGE"
      ? new Refused("large")
      : new Refused("no OTLP", "the body is no gzip");
  }
}
