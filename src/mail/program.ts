import { isDovecotService } from "./dovecot.ts";

/** How a program's name is to be read. */
export type Writing = {
  readonly family: "postfix" | "dovecot" | "other";
  readonly daemon: string;
  /** Last path part. */
  readonly name: string;
  /** Middle path part of a nested name: "submission". */
  readonly service: string | undefined;
};

/** Daemons of Postfix by which a site's own syslog name is recognised. */
const POSTFIX = new Set(
  "anvil bounce cleanup defer discard dnsblog error flush lmtp local master oqmgr pickup pipe postdrop postfix postfix-script postlog postlogd postmulti postqueue postscreen postsuper postalias postmap proxymap proxywrite qmgr qmqpd scache sendmail showq smtp smtpd spawn tlsmgr tlsproxy trace trivial-rewrite verify virtual".split(
    " ",
  ),
);

/** Program names remembered; a hostile log may hold any number. */
const MAX_PROGRAMS = 1000;
const writings = new Map<string, Writing>();

/** The parts of a tag: `postfix-out/submission/smtpd` is daemon postfix/smtpd of service submission. */
export function writingOf(program: string): Writing {
  const known = writings.get(program);
  if (known !== undefined) return known;
  const parts = program.split("/");
  const name = parts.at(-1)!;
  let made: Writing;
  if (parts.length > 1 && parts[0] === "dovecot")
    made = { family: "dovecot", daemon: program, name, service: undefined };
  else if (parts.length > 1 && parts[0] !== "cyrus" && (POSTFIX.has(name) || parts[0]!.startsWith("postfix")))
    made = {
      family: "postfix",
      daemon: `postfix/${name}`,
      name,
      service: parts.length > 2 ? parts.slice(1, -1).join("/") : undefined,
    };
  else if (/^post(?:fix|super|queue|map|alias|drop|log|multi)(?!-policyd)/.test(program))
    made = {
      family: "postfix",
      daemon: program === "postfix" ? "postfix" : `postfix/${program}`,
      name,
      service: undefined,
    };
  else if (program === "dovecot" || isDovecotService(program))
    made = {
      family: "dovecot",
      daemon: program === "dovecot" ? program : `dovecot/${program}`,
      name,
      service: undefined,
    };
  else
    made = {
      family: "other",
      daemon: program === "" ? "unknown" : name === "" ? program : name,
      name,
      service: undefined,
    };
  if (writings.size < MAX_PROGRAMS) writings.set(program, made);
  return made;
}
