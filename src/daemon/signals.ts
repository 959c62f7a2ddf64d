import { spawn } from "node:child_process";

/**
 * Tells systemd of the service's life (sd_notify(3)). Node has no datagram sockets of the UNIX kind, so systemd's own program
 * says it; the unit needs NotifyAccess=all. Does nothing where no systemd listens.
 */
export class SystemdNotify {
  readonly #on = Boolean(process.env["NOTIFY_SOCKET"]);
  /** Half of what systemd waits for, in ms; 0 without a watchdog. */
  readonly #everyMs = Number(process.env["WATCHDOG_USEC"] ?? 0) / 2000;
  #saidAt = Number.NEGATIVE_INFINITY;

  /** status: one line for `systemctl status`. */
  ready(status: string): void {
    this.#say("READY=1", `STATUS=${status}`);
  }

  stopping(): void {
    this.#say("STOPPING=1");
  }

  /** Call at least as often as the watchdog asks. monotonic: ms of a clock that never goes back. */
  alive(status: string, monotonic: number): void {
    if (monotonic - this.#saidAt < Math.max(this.#everyMs, 10_000)) return;
    this.#saidAt = monotonic;
    this.#say("WATCHDOG=1", `STATUS=${status}`);
  }

  #say(...lines: readonly string[]): void {
    if (!this.#on) return;
    const child = spawn("systemd-notify", [`--pid=${process.pid}`, ...lines], { stdio: "ignore" });
    child.on("error", () => undefined); // without the program the unit has no watchdog either
    child.unref();
  }
}
