import type { ServerResponse } from "node:http";

/** When a sender shall try again, in seconds. */
const RETRY_S = 5;
/** Of an error's own words, so many characters are told. */
const MAX_DETAIL = 200;
/** Field 2, a text, of google.rpc.Status in protobuf. */
const MESSAGE_FIELD = 0x12;

/** Why a request is refused. */
export type Refusal =
  | "path"
  | "method"
  | "protobuf"
  | "type"
  | "encoding"
  | "large"
  | "no OTLP"
  | "busy"
  | "full"
  | "bug";

/** HTTP status and words of each. A sender tries again after 429, 502, 503 and 504 alone (OTLP/HTTP, "Retryable Response Codes"). */
const ANSWERS: Readonly<Record<Refusal, readonly [number, string]>> = {
  path: [404, "logs are sent to /v1/logs; there is nothing else here"],
  method: [405, "logs are sent by POST"],
  protobuf: [415, 'send JSON: set "encoding: json" in the otlphttp exporter, "http/json" elsewhere'],
  type: [415, "the content type is not application/json"],
  encoding: [415, 'the only compression is gzip: set "compression: gzip"'],
  large: [413, "the request holds more than 4 MiB, or more than 8 MiB unpacked: send fewer records at once"],
  "no OTLP": [400, "this is no OTLP in JSON"],
  busy: [503, "too much is being received"],
  full: [503, "the lines can't be kept now: the spool is full, or its disk"],
  bug: [500, "Logvane failed"],
};

export const wordsOf = (why: Refusal): string => ANSWERS[why][1];
export const isKept = (why: Refusal): boolean => ANSWERS[why][0] === 503;

/** A request is refused. detail: what exactly is wrong. */
export class Refused extends Error {
  readonly why: Refusal;
  constructor(why: Refusal, detail = "") {
    super(detail === "" ? wordsOf(why) : `${wordsOf(why)}: ${detail.slice(0, MAX_DETAIL)}`);
    this.why = why;
  }
}

/** Answers in the form of the request (type: its content type), as OTLP wants it. result: records without a text, or the refusal. */
export function answerOf(response: ServerResponse, type: string, result: number | Refused): void {
  const [status] = typeof result === "number" ? [200] : ANSWERS[result.why];
  if (status === 503) response.setHeader("Retry-After", RETRY_S);
  if (status === 405) response.setHeader("Allow", "POST");
  const proto = type === "application/x-protobuf" && typeof result !== "number";
  const body = proto ? protobufOf(result.message) : Buffer.from(JSON.stringify(jsonOf(result)));
  response.on("error", () => undefined); // the sender has gone
  response.setHeader("Content-Type", proto ? type : "application/json");
  response.writeHead(status, { "Content-Length": body.length }).end(body);
}

function jsonOf(result: number | Refused): object {
  if (result instanceof Refused) return { message: result.message };
  if (result === 0) return {};
  const errorMessage = "records without a body make no line";
  return { partialSuccess: { rejectedLogRecords: String(result), errorMessage } };
}

/** google.rpc.Status with a message, so that the collector can show it. A length below 128 is one byte. */
function protobufOf(message: string): Buffer {
  const text = Buffer.from(message).subarray(0, 127);
  return Buffer.concat([Buffer.of(MESSAGE_FIELD, text.length), text]);
}
