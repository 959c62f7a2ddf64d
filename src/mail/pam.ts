import { type Bag, cap, put, type Reading } from "./scan.ts";
import { type CompanionSample, putAddress, reading } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "vsftpd",
    line: "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.1 rhost=192.0.2.9  user=ann",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", user: "ann", method: "pam" },
  },
  {
    daemon: "sshd",
    line: "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.9  user=root",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", user: "root" },
  },
  {
    daemon: "su",
    line: "pam_unix(su:session): session opened for user root by ann(uid=1000)",
    event: "system",
    fields: { user: "root" },
  },
  {
    daemon: "login",
    line: "pam_sss(login:auth): Authentication service cannot retrieve authentication info",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
];

/** `pam_unix(sshd:auth): `, `(pam_unix) `, `pam_unix: ` and what pam says; also the bare text of old programs named `x(pam_unix)`. */
const HEAD = /^\(?pam_[a-z0-9_]{1,24}\)?(?:\([^()]{0,80}\))?\[?\d{0,10}\]?:? /;
const FAILED = /(?:^|PAM \d{1,9} more )authentication failures?[;:] /;

/** What a PAM module says through any program; undefined when it is not PAM that speaks. */
export function readPam(message: string, named = false): Reading | undefined {
  const head = HEAD.exec(message);
  if (head === null && !named && !/^(?:PAM \d{1,9} more )?authentication failures?; /.test(message))
    return undefined;
  const body = message.slice(head?.[0].length ?? 0);
  if (FAILED.test(body.slice(0, 60))) return readFailure(body);
  const session = /^session (opened|closed) for user (\S{1,255}?)(?:\(uid=\d+\))?(?: by |$)/.exec(body);
  if (session)
    return {
      event: "system",
      fields: { user: session[2]! },
      shape: `pam: session ${session[1]} for user <>`,
    };
  if (head === null) return undefined;
  if (
    /^(?:check pass; user unknown|bad username|unknown user|auth could not identify|conversation failed|user .{0,255} unknown)/.test(
      body,
    )
  )
    return { event: "system", fields: { reason: cap(body) }, shape: `pam: ${body.replace(/\[.*\]/, "")}` };
  if (
    /cannot retrieve|not available|unable to|error|failed to|can't|could not|timed? ?out/i.test(
      body.slice(0, 200),
    ) &&
    !/^(?:password|auth).{0,20}failed/i.test(body)
  )
    return reading("auth_backend_failure", { reason: cap(body) }, `pam: ${body}`, "auth_backend");
  return { event: "system", fields: { reason: cap(body) }, shape: `pam: ${body}` };
}

/**
 * `authentication failure; logname= uid=0 euid=0 tty=ssh ruser=R rhost=H  user=U`. R is the client's text and may hold
 * ` rhost=`, so H stands at the last one before ` user=`; U may hold anything, too.
 */
function readFailure(body: string): Reading {
  const fields: Bag = { method: "pam" };
  const ruser = body.indexOf("ruser=");
  const user = body.indexOf(" user=", ruser < 0 ? 0 : ruser);
  const head = user < 0 ? body : body.slice(0, user);
  const rhost = head.lastIndexOf("rhost=");
  if (rhost >= 0) {
    const host = /^\S*/.exec(head.slice(rhost + 6, rhost + 300))![0];
    putAddress(fields, host);
    if (ruser >= 0 && rhost > ruser + 7) put(fields, "ruser", head.slice(ruser + 6, rhost).trim());
  }
  if (user >= 0) {
    const words = body.slice(user + 6).replace(/ \[preauth\]$/, "");
    const message = words.indexOf(" msg=");
    fields["user"] = (message < 0 ? words : words.slice(0, message)).trim();
  } else if (fields["ruser"] !== undefined) fields["user"] = fields["ruser"];
  return {
    event: "auth_failure",
    fields,
    cause: "auth",
    shape: "pam: authentication failure; rhost=<> user=<>",
  };
}
