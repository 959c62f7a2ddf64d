import { meant, quoted } from "./mistake.ts";
import type { Place, TomlValue } from "./toml.ts";

/** Complains of a value and gives undefined. at: where in it, when not at its beginning. */
export type Complain = (what: string, allowed: string, at?: Place) => undefined;

/** Reads one kind of value; undefined after a complaint. */
export type Form<T> = (value: TomlValue, complain: Complain) => T | undefined;

const NAMES: Readonly<Record<TomlValue["kind"], string>> = {
  string: "a text",
  integer: "a number",
  float: "a number with a fraction",
  boolean: "true or false",
  time: "a date or time without quotes",
  array: "a list",
  table: "a table",
};
const DAY_NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_TEXT = 1000;
const MAX_ITEMS = 1000;
const MAX_PORT = 65_535;

/** A text without control characters that `check` takes; allowed: what it takes, as a message says it. */
export function text(allowed: string, check: (value: string) => boolean = () => true): Form<string> {
  return (value, complain) => {
    if (value.kind !== "string")
      return complain(`this is ${NAMES[value.kind]}, not a text in quotes`, allowed);
    if (value.value.length > MAX_TEXT) return complain("the text is too long", allowed);
    if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(value.value))
      return complain("the text holds a control character or line end", allowed);
    if (value.value === "") return complain("the text is empty", `${allowed}; or leave the key out`);
    return check(value.value) ? value.value : complain(`${quoted(value.value)} does not fit here`, allowed);
  };
}

/** A text that `read` makes something of; undefined when it does not fit. */
export function textAs<T>(allowed: string, read: (value: string) => T | undefined): Form<T> {
  const form = text(allowed);
  return (value, complain) => {
    const plain = form(value, complain);
    if (plain === undefined) return undefined;
    return read(plain) ?? complain(`${quoted(plain)} does not fit here`, allowed);
  };
}

export function wholeNumber(min: number, max: number): Form<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  return (value, complain) => {
    if (value.kind !== "integer")
      return complain(`this is ${NAMES[value.kind]}, not a whole number`, allowed);
    if (value.value < min || value.value > max) return complain(`${value.value} is out of range`, allowed);
    return value.value;
  };
}

export const yesNo: Form<boolean> = (value, complain) =>
  value.kind === "boolean"
    ? value.value
    : complain(`this is ${NAMES[value.kind]}, not true or false`, "true or false, without quotes");

/** One of some words. */
export function word<W extends string>(...words: readonly W[]): Form<W> {
  const allowed = words.map((w) => `"${w}"`).join(" or ");
  return (value, complain) => {
    if (value.kind !== "string")
      return complain(`this is ${NAMES[value.kind]}, not a word in quotes`, allowed);
    const found = words.find((w) => w === value.value);
    return (
      found ??
      complain(`${quoted(value.value)} is none of the words here${meant(value.value, words)}`, allowed)
    );
  };
}

/** A list; a single value stands for a list of one. Every item is read, so that all mistakes are told. */
export function listOf<T>(form: Form<T>, what: string): Form<readonly T[]> {
  return (value, complain) => {
    const items = value.kind === "array" ? value.items : [value];
    if (items.length > MAX_ITEMS) return complain("the list is too long", `at most ${MAX_ITEMS} of ${what}`);
    const read = items.map((item) => form(item, (w, allowed, at) => complain(w, allowed, at ?? item.at)));
    return read.some((r) => r === undefined) ? undefined : (read as T[]);
  };
}

/** As listOf, but not empty. */
export function someOf<T>(form: Form<T>, what: string): Form<readonly [T, ...T[]]> {
  const list = listOf(form, what);
  return (value, complain) => {
    const read = list(value, complain);
    if (read?.length === 0) return complain("the list is empty", `at least one of ${what}`);
    return read as readonly [T, ...T[]] | undefined;
  };
}

/** "30s", "5m", "2h" or "1d", in seconds. */
export function duration(minS: number, maxS: number): Form<number> {
  const allowed = `a duration from "${durationText(minS)}" to "${durationText(maxS)}", such as "5m" (s, m, h, d)`;
  return textAs(allowed, (plain) => {
    const match = /^(\d{1,7})([smhd])$/.exec(plain);
    if (match === null) return undefined;
    const seconds = Number(match[1]) * SECONDS[match[2]!]!;
    return seconds >= minS && seconds <= maxS ? seconds : undefined;
  });
}

/** Seconds as the file writes them. */
export function durationText(seconds: number): string {
  for (const unit of ["d", "h", "m"])
    if (seconds > 0 && seconds % SECONDS[unit]! === 0) return `${seconds / SECONDS[unit]!}${unit}`;
  return `${seconds}s`;
}

function minuteOf(plain: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(plain);
  if (match === null || Number(match[1]) > 23 || Number(match[2]) > 59) return undefined;
  return Number(match[1]) * 60 + Number(match[2]);
}

/** "06:30", in minutes after midnight. */
export const timeOfDay: Form<number> = textAs('a time of day in quotes from "00:00" to "23:59"', minuteOf);

/** "Sun 03:30", or "never". */
export const timeOfWeek: Form<{ readonly weekday: number | undefined; readonly atMinute: number }> = textAs(
  'a weekday and a time in quotes, such as "Sun 03:30" (Mon Tue Wed Thu Fri Sat Sun), or "never"',
  (plain) => {
    if (plain === "never") return { weekday: undefined, atMinute: 0 };
    const match = /^([A-Za-z]{3})[a-z]{0,6} +(\S+)$/.exec(plain);
    const weekday = DAY_NAMES.indexOf(match?.[1]?.toLowerCase() as (typeof DAY_NAMES)[number]);
    const atMinute = minuteOf(match?.[2] ?? "");
    return weekday < 0 || atMinute === undefined ? undefined : { weekday, atMinute };
  },
);

/** A zone of the IANA database. */
export const zone: Form<string> = text(
  "a zone of the IANA database, such as Europe/Berlin or UTC",
  (plain) => {
    try {
      new Intl.DateTimeFormat("en", { timeZone: plain });
      return true;
    } catch {
      return false;
    }
  },
);

export const absolutePath: Form<string> = text(
  "a whole path, from / on",
  (plain) => plain.startsWith("/") && !plain.endsWith("/"),
);

/** A host's or domain's name; an underscore is met in names of containers. */
export const isHostName = (plain: string): boolean =>
  plain.length <= 253 &&
  plain.split(".").every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));

export const hostName: Form<string> = text("a host's name, such as mx1.example.org", isHostName);
export const domainName: Form<string> = text("a domain, such as example.org", isHostName);

const isAddress = (plain: string): boolean =>
  /^(?:\d{1,3}\.){3}\d{1,3}$/.test(plain)
    ? plain.split(".").every((n) => Number(n) <= 255)
    : /^[0-9a-f:.]{2,45}$/i.test(plain) && plain.includes(":") && URL.canParse(`http://[${plain}]/`);

/** An address of this machine to listen at. */
export const ipAddress: Form<string> = text("an IP address, such as 127.0.0.1 or ::1", isAddress);
export const hostOrAddress: Form<string> = text(
  "a host's name or IP address, such as smtp.example.org",
  (plain) => isHostName(plain) || isAddress(plain),
);
export const port: Form<number> = wholeNumber(1, MAX_PORT);

/** "127.0.0.1:9469" or "[::1]:9469". */
export const endpoint: Form<{ readonly address: string; readonly port: number }> = textAs(
  'an address and a port, such as "127.0.0.1:9469" or "[::1]:9469"',
  (plain) => {
    const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(plain);
    const address = match?.[1] ?? match?.[2] ?? "";
    const number = Number(match?.[3]);
    return match !== null && isAddress(address) && number >= 1 && number <= MAX_PORT
      ? { address, port: number }
      : undefined;
  },
);

/** Dot-atom and domain of RFC 5321, no quoted local parts. */
const MAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s]+$/;
const isMail = (plain: string): boolean =>
  MAIL.test(plain) && isHostName(plain.slice(plain.indexOf("@") + 1)) && !plain.startsWith("-");

export const sender: Form<string> = text("a mail address, such as logvane@example.org", isMail);
/** A mail address, or an account of this machine that the mail system knows. */
export const recipient: Form<string> = text(
  "a mail address such as ann@example.org, or an account of this machine such as root",
  (plain) => isMail(plain) || /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(plain),
);

/** A web address without a password in it. */
export const webAddress: Form<string> = (value, complain) => {
  const allowed = "a web address, such as https://hooks.example.org/T0/B1, without user or password";
  const form = text(allowed, (plain) => /^https?:\/\/[^/]/i.test(plain) && URL.canParse(plain));
  // A web address may hold a secret, so that its text stays out of the message.
  const plain = form(value, (what, a, at) =>
    complain(what.startsWith('"') ? "this is no web address" : what, a, at),
  );
  if (plain === undefined) return undefined;
  const { username, password } = new URL(plain);
  return username === "" && password === "" ? plain : complain("a password stands in the address", allowed);
};

/** A name that messages and file names can hold. */
export const plainName: Form<string> = text("letters, digits, - and _, at most 40", (plain) =>
  /^[A-Za-z0-9_-]{1,40}$/.test(plain),
);
