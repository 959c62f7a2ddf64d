import type { MailEvent } from "./event.ts";
import { PlanMemo } from "./plan-memo.ts";
import { MAX_FIELD } from "./scan.ts";

/** How a line's account and address are found without reading all of its fields. */
type Way = "login" | "connect" | "grammar";

/**
 * Who a line is about: the account and the client's address, equal to what the grammar reads. The two commonest lines of clients,
 * Postfix's `connect from` and Dovecot's `Login:`, have simple readers, which a plan's first line must confirm.
 */
export class LineClients {
  readonly #ways = new PlanMemo(wayOf);

  /** sasl_username, else user; "" without either. */
  account(event: MailEvent): string {
    const way = this.#ways.of(event);
    if (way === "connect") return "";
    return (way === "login" ? loginUser(event.message) : undefined) ?? accountOf(event);
  }

  /** client_address, else rip; "" without either. */
  address(event: MailEvent): string {
    const way = this.#ways.of(event);
    if (way === "connect") return connectAddress(event.message) ?? addressOf(event);
    return (way === "login" ? loginAddress(event.message) : undefined) ?? addressOf(event);
  }
}

const accountOf = ({ fields }: MailEvent): string => String(fields["sasl_username"] ?? fields["user"] ?? "");
const addressOf = ({ fields }: MailEvent): string => String(fields["client_address"] ?? fields["rip"] ?? "");

function wayOf(event: MailEvent): Way {
  const { daemon, message } = event;
  if (event.event === "connect" && daemon.startsWith("postfix/"))
    return accountOf(event) === "" && connectAddress(message) === addressOf(event) ? "connect" : "grammar";
  if (event.event !== "login" || !daemon.startsWith("dovecot/")) return "grammar";
  const same = loginUser(message) === accountOf(event) && loginAddress(message) === addressOf(event);
  return same ? "login" : "grammar";
}

/** `connect from NAME[ADDRESS]`; undefined unless it is exactly that. */
function connectAddress(message: string): string | undefined {
  if (!message.startsWith("connect from ")) return undefined;
  const open = message.indexOf("[");
  const close = message.length - 1;
  if (open < 0 || open > 255 || close - open > 100 || message.indexOf("]", open) !== close) return undefined;
  return message.slice(open + 1, close);
}

/** `user=<USER>, `; undefined where anything else might be meant. */
function loginUser(message: string): string | undefined {
  const at = message.indexOf("user=<");
  const end = at < 0 ? -1 : message.indexOf(">, ", at);
  return end < 0 || end - at > MAX_FIELD ? undefined : message.slice(at + 6, end);
}

/** `rip=ADDRESS` after the user; undefined where there is none or more than one. */
function loginAddress(message: string): string | undefined {
  const user = message.indexOf("user=<");
  const end = user < 0 ? -1 : message.indexOf(">, ", user);
  const at = end < 0 ? -1 : message.indexOf(", rip=", end);
  const stop = at < 0 ? -1 : message.indexOf(", ", at + 6);
  if (stop < 0 || stop - at > MAX_FIELD || message.indexOf(", rip=", stop) >= 0) return undefined;
  return message.slice(at + 6, stop);
}
