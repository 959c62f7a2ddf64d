import { cutText, lower, readCleanup, TEXT_WIDTH } from "./legacy.ts";
import type { Message } from "./message.ts";
import { MAX_TEXTS, OURS, Tree } from "./table.ts";
import type { Tally } from "./tally.ts";

const FAILURE = / *(?:\w+: )?connect to ([^[]+)\[[^\]]*\]: (.*) \(port \d+\)/y;

/** What daemons say went wrong with themselves: warnings, fatal errors and panics, hosts not reached, and the master's words. */
export class Complaints {
  readonly smtpFailures: Tree = new Tree("smtp_failure_detail", MAX_TEXTS);
  readonly warnings: Tree = new Tree("warning_detail", MAX_TEXTS);
  readonly fatals: Tree = new Tree("fatal_detail", MAX_TEXTS);
  readonly panics: Tree = new Tree("panic_detail", MAX_TEXTS);
  readonly master: Tree = new Tree("master_detail", MAX_TEXTS);
  private readonly tally: Tally;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** Counts `warning: `, `fatal: ` or `panic: ` at the head of a message; false when there is none. */
  severe(message: Message): boolean {
    const { body, event, writer } = message;
    const warning = body.startsWith("warning");
    const fatal = !warning && body.startsWith("fatal:");
    if (!warning && !fatal && !body.startsWith("panic:")) return false;
    if (warning && writer.daemon === "cleanup" && readCleanup(body) !== undefined) return false;
    const tree = warning ? this.warnings : fatal ? this.fatals : this.panics;
    const length = warning ? 7 : 5;
    // Without a text the whole line from the tag on stands for it.
    const text = body.startsWith(": ", length)
      ? body.slice(length + 2)
      : `${event.program}[${event.pid}]: ${body}`;
    const short = cutText(text, TEXT_WIDTH);
    tree.add(1, writer.daemon, "", short);
    if (message.readable) tree.add(2, writer.theirs, "", short);
    this.tally.both(warning ? "warnings" : fatal ? "fatal_errors" : "panics", message.readable, message);
    return true;
  }

  /** A host that smtp could not connect to. */
  unreached(message: Message): void {
    const { tally } = this;
    FAILURE.lastIndex = 0;
    const m = FAILURE.exec(message.body);
    if (m !== null) {
      const readable = message.readable && message.writer.theirs === "smtp";
      this.smtpFailures.add(readable ? 3 : 1, lower(m[2]!), "", m[1]!);
      tally.both("smtp_delivery_failures", readable, message);
      return;
    }
    const { fields } = message.event;
    const host = String(fields["relay_host"] ?? "");
    this.smtpFailures.add(1, lower(String(fields["reason"] ?? "")), "", host);
    tally.count(OURS, "smtp_delivery_failures");
    tally.differ(
      "smtp_delivery_failures",
      "the form with the port after the address, of Postfix 2.3 and later",
    );
  }

  /** What the master process says, from its last colon on. */
  ofMaster(message: Message): void {
    const { body } = message;
    const last = body.lastIndexOf(": ");
    const text = last < 0 ? body : body.slice(last + 2);
    if (text === "") return;
    this.master.add(message.readable ? 3 : 1, text, "", "");
    this.tally.both("master_messages", message.readable, message);
  }
}
