import { createHmac, timingSafeEqual } from "node:crypto";
import { ALWAYS, type Kind } from "../detect/alert.ts";
import type { StoredAlert } from "../store/queries.ts";
import type { Verdict } from "../store/rules.ts";

/**
 * Links in mails by which an operator judges an alert. Each is signed for one alert, one verdict and one time of expiry, so that none can be
 * guessed or turned into another; whoever acts on one keeps it as used (store/rules.ts).
 */

/** A mail that is older is history. In ms. */
const VALID_MS = 7 * 86_400_000;
/** Raised when the signed text means something else than before. */
const SIGNED = "logvane feedback link 1";
const PATH = /\/feedback\/([0-9a-f]{6,64})\.([hrs])\.([0-9a-z]{1,10})\.([A-Za-z0-9_-]{43})$/;

const VERDICT_OF: Readonly<Record<string, Verdict>> = { h: "benign", r: "incident", s: "snooze" };
const LABELS: readonly (readonly [code: string, label: string])[] = [
  ["h", "It is harmless"],
  ["r", "It is real"],
  ["s", "Leave it alone for a day"],
];

export type MailLink = { readonly label: string; readonly url: string };

/** What a link asks for. */
export type Asked = {
  readonly alert: string;
  readonly verdict: Verdict;
  /** The system's time in ms. */
  readonly expires: number;
  /** By which it is known as used. */
  readonly token: string;
};

export class Links {
  readonly #base: string;
  readonly #key: Buffer;

  /** base: address at which the pages are reached. */
  constructor(base: string, key: Buffer) {
    this.#base = base.replace(/\/+$/, "");
    this.#key = key;
  }

  /** The links on an alert. at: when the mail is of, the system's time in ms; the same mail has the same links at every try. */
  of(alert: StoredAlert, at: number): MailLink[] {
    const { id } = alert;
    if (!/^[0-9a-f]{6,64}$/.test(id)) return [];
    const expires = Math.floor((at + VALID_MS) / 1000).toString(36);
    const grave = ALWAYS.has(alert["kind"] as Kind);
    return LABELS.filter(([code]) => !grave || code !== "h").map(([code, label]) => ({
      label,
      url: `${this.#base}/feedback/${id}.${code}.${expires}.${this.#mac(id, code, expires).toString("base64url")}`,
    }));
  }

  /** What a path asks for; undefined for one that was not signed here. Whether it has expired is left to the caller. */
  read(path: string): Asked | undefined {
    const [, alert, code, expires, mac] = PATH.exec(path) ?? [];
    if (alert === undefined || code === undefined || expires === undefined || mac === undefined)
      return undefined;
    const given = Buffer.from(mac, "base64url");
    const right = this.#mac(alert, code, expires);
    // its last character holds spare bits, so that the text could be changed and still mean the same
    if (given.length !== right.length || given.toString("base64url") !== mac) return undefined;
    if (!timingSafeEqual(given, right)) return undefined;
    return { alert, verdict: VERDICT_OF[code]!, expires: Number.parseInt(expires, 36) * 1000, token: mac };
  }

  #mac(alert: string, code: string, expires: string): Buffer {
    return createHmac("sha256", this.#key).update(`${SIGNED}\n${alert}\n${code}\n${expires}`).digest();
  }
}
