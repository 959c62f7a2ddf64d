import { Zone } from "../../src/log/zone.ts";
import { UPGRADES, ZONE } from "./plan.ts";

/** What two upgrades change in the lines of the composed server. Texts as the newer releases write them. */

/** Dovecot 2.4 words failed and aborted log-ins anew. Source: Dovecot, src/login-common and src/auth. */
const DOVECOT: readonly (readonly [RegExp, string])[] = [
  [/(dovecot: \S+-login: )Login: /, "$1Logged in: "],
  [
    /(dovecot: \S+-login: )(?:Disconnected: )?Aborted login by logging out (\(no auth attempts in \d+ secs\)): /,
    "$1Login aborted: Logged out $2 (no_auth_attempts): ",
  ],
  [
    /(dovecot: \S+-login: )Disconnected: (Connection closed) (\(auth failed, \d+ attempts in \d+ secs\)): /,
    "$1Login aborted: $2 $3 (auth_failed): ",
  ],
  [/(dovecot: auth)(: passwd-file)(\([^)]*\)): /, "$1$3$2: "],
];
/** Postfix 3.11 tells of each delivery what was asked of TLS; OpenSSL 3.5 agrees on a hybrid group of keys with whoever can. */
const DEBIAN: readonly (readonly [RegExp, string])[] = [
  [/(postfix\/smtp\[\d+\]: .*, delays=[\d./]+), dsn=/, "$1, tls=may, dsn="],
  [/(TLS connection established .* key-exchange )X25519 /, "$1X25519MLKEM768 "],
];
/** rsyslog of newer distributions writes RFC 3339 with microseconds in place of RFC 3164. */
const OLD_HEAD = /^\w{3} [ \d]\d \d\d:\d\d:\d\d /;

const zone = new Zone(ZONE);
const [dovecot, debian] = UPGRADES.map(({ at }) => at) as [number, number];

/** A line as the server writes it at that time, in ms. */
export function upgraded(text: string, time: number): string {
  if (time < dovecot) return text;
  const words = time < debian ? DOVECOT : [...DOVECOT, ...DEBIAN];
  const written = words.reduce((line, [from, to]) => line.replace(from, to), text);
  return time < debian ? written : written.replace(OLD_HEAD, () => `${stamp(time)} `);
}

function stamp(time: number): string {
  const offset = zone.offsetAt(time);
  const micros = String(Math.floor(time * 1000) % 1_000_000).padStart(6, "0");
  const hours = String(offset / 3_600_000).padStart(2, "0");
  return `${new Date(time + offset).toISOString().slice(0, 19)}.${micros}+${hours}:00`;
}
