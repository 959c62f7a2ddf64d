import { createHash } from "node:crypto";
import type { WebhookChannel } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { readSecret } from "./secret.ts";
import type { Outcome, Sender, SenderContext } from "./sender.ts";
import { type HookRequest, hookRequest } from "./webhook-formats.ts";

/** For a request with its redirects and the answer. */
const TIMEOUT_MS = 30_000;
const REDIRECTS = 3;
/** Bytes of an answer that are read; characters of it that are told. */
const ANSWER_BYTES = 16_384;
const TOLD = 200;
/** Answers that say "later" (RFC 9110, 8470, 6585). */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** What a receiver said. */
type Answer = {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  readonly retryAfter: string | null;
};

/** Tells a web address of each notification. timeoutMs: for a request in all. */
export function webhookSender(
  channel: WebhookChannel,
  context: SenderContext,
  timeoutMs: number = TIMEOUT_MS,
): Sender {
  const where = `channel "${channel.name}"`;
  return {
    async send(delivery, signal) {
      const request = hookRequest(channel, delivery, context);
      const token =
        channel.tokenFile === undefined ? undefined : readSecret(channel.tokenFile, `${where}, token_file`);
      const headers = headersOf(`${context.server} ${delivery.key}`, context.release, token);
      const secrets = secretsOf(new URL(channel.url), token);
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const answer = await follow(request, headers, limit);
        return outcomeOf(answer, secrets);
      } catch (error) {
        if (error instanceof Fault) throw error;
        return { result: "retry", error: trouble(error, request.url.host) };
      }
    },
    close() {},
  };
}

function headersOf(key: string, release: string, token: string | undefined): Record<string, string> {
  const id = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": `logvane/${release}`,
    "Idempotency-Key": `"${id}"`, // a string of structured fields, as the draft of that header asks
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
}

/** Sends it, and again to where it is sent on to on the same host: another host must not learn the content or the token. */
async function follow(
  request: HookRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  let { url } = request;
  for (let hop = 0; ; hop++) {
    const answer = await ask(url, request, headers, signal);
    if (![301, 302, 303, 307, 308].includes(answer.status) || answer.location === null) return answer;
    const next = URL.canParse(answer.location, url.href) ? new URL(answer.location, url) : undefined;
    const same =
      next !== undefined && next.hostname === url.hostname && (next.host === url.host || isSafer(next, url));
    if (!same || hop >= REDIRECTS || answer.status === 303) return answer;
    url = next;
  }
}

/** From http to https on the usual ports. */
const isSafer = (next: URL, from: URL): boolean =>
  from.protocol === "http:" && next.protocol === "https:" && from.port === "" && next.port === "";

async function ask(
  url: URL,
  { method, body }: HookRequest,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const { username, password } = url;
  const bare = new URL(url);
  bare.username = bare.password = ""; // fetch refuses them in an address
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
    "base64",
  );
  const response = await fetch(bare, {
    method,
    headers: username === "" ? headers : { Authorization: `Basic ${basic}`, ...headers },
    body: JSON.stringify(body),
    redirect: "manual",
    signal,
  });
  return {
    status: response.status,
    text: await beginning(response),
    location: response.headers.get("location"),
    retryAfter: response.headers.get("retry-after"),
  };
}

/** The beginning of an answer's text; the rest is not read. */
async function beginning(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  if (response.body !== null)
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= ANSWER_BYTES) break;
    }
  return Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString("utf8");
}

function outcomeOf({ status, text, retryAfter }: Answer, secrets: readonly string[]): Outcome {
  if (status >= 200 && status < 300) return { result: "sent" };
  const error = `HTTP ${status}${told(text, secrets)}`;
  if (status >= 300 && status < 400)
    return { result: "refused", error: `HTTP ${status}: sends us on to another place, where we don't go` };
  if (status >= 500 || LATER.has(status))
    return { result: "retry", error, afterMs: wish(retryAfter) ?? matrixWish(text) };
  return { result: "refused", error };
}

/** Milliseconds of a Retry-After: seconds, or a date. */
function wish(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** Matrix says it in the answer's text: M_LIMIT_EXCEEDED. */
function matrixWish(text: string): number | undefined {
  const found = /"retry_after_ms"\s*:\s*(\d{1,12})/.exec(text);
  return found === null ? undefined : Number(found[1]);
}

/** What an answer says, without what it may have repeated of our secrets. */
function told(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) safe = safe.replaceAll(secret, "[...]");
  safe = terminalSafe(safe.replace(/\s+/g, " ")).trim().slice(0, TOLD);
  return safe === "" ? "" : `: ${safe}`;
}

/** What of an address may let others in: everything after the host. */
function secretsOf(url: URL, token: string | undefined): string[] {
  const parts = [...url.pathname.split("/"), ...url.searchParams.values(), url.username, url.password];
  return [url.pathname + url.search, token ?? "", ...parts, ...parts.map(decode)].filter(
    (s) => s.length >= 6,
  );
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Why there was no answer. fetch hides the reason in `cause`; the address's path is never told. */
function trouble(error: unknown, host: string): string {
  const { name, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") return `${host} did not answer in time`;
  if (name === "AbortError") return "stopped";
  return `${host} can't be reached: ${cause?.code ?? cause?.message ?? name}`.slice(0, TOLD);
}
