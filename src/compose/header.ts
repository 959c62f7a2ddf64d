import { civilFromDays, type Zone } from "../log/zone.ts";

/**
 * How the head of a line is written: rfc3164 (`Feb  2 00:01:56 host tag[pid]: `), rfc3339 (microseconds and offset, as rsyslog's
 * high-precision format), iso (RFC 3339 to the second), rfc5424, journald (`journalctl -o json`).
 */
export type HeaderFormat = "rfc3164" | "rfc3339" | "iso" | "rfc5424" | "journald";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86_400_000;
/** Facility mail (2), severities as the words of Postfix and Dovecot tell them. RFC 5424, section 6.2.1. */
const FACILITY = 2 * 8;
const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

const severityOf = (text: string): number =>
  /^(?:fatal|panic): /.test(text)
    ? 2
    : /(?:^|: )error: |: Error: /.test(text)
      ? 3
      : /[Ww]arning: /.test(text)
        ? 4
        : 6;

/** Writes lines for one host, in the order of their times. */
export class HeaderWriter {
  private readonly format: HeaderFormat;
  private readonly zone: Zone;
  private readonly host: string;
  private second = Number.NaN;
  /** What all lines of the current second begin with. */
  private stamp = "";
  private offset = "";

  constructor(format: HeaderFormat, zone: Zone, host: string) {
    this.format = format;
    this.zone = zone;
    this.host = host;
  }

  /** A whole line without its end. time: ms since 1970, fractions down to the microsecond count. pid: 0 for none. */
  write(time: number, tag: string, pid: number, text: string): string {
    const second = Math.floor(time / 1000);
    if (second !== this.second) this.turn(second);
    const micros = (): string => String(Math.floor(time * 1000) - second * 1_000_000).padStart(6, "0");
    const sender = pid === 0 ? tag : `${tag}[${pid}]`;
    switch (this.format) {
      case "rfc3164":
        return `${this.stamp} ${this.host} ${sender}: ${text}`;
      case "rfc3339":
        return `${this.stamp}.${micros()}${this.offset} ${this.host} ${sender}: ${text}`;
      case "iso":
        return `${this.stamp}${this.offset} ${this.host} ${sender}: ${text}`;
      case "rfc5424":
        return `<${FACILITY + severityOf(text)}>1 ${this.stamp}.${micros()}${this.offset} ${this.host} ${tag} ${pid || "-"} - - ${text}`;
      case "journald":
        return JSON.stringify({
          __REALTIME_TIMESTAMP: `${second}${micros()}`,
          _HOSTNAME: this.host,
          SYSLOG_FACILITY: "2",
          PRIORITY: String(severityOf(text)),
          SYSLOG_IDENTIFIER: tag,
          ...(pid === 0 ? {} : { SYSLOG_PID: String(pid), _PID: String(pid) }),
          MESSAGE: text,
        });
    }
  }

  /** "Feb  2 00:01:56" of the wall clock, as daemons write times within a text. */
  wallClock(time: number): string {
    const local = time + this.zone.offsetAt(time);
    const [, month, day] = civilFromDays(Math.floor(local / DAY));
    return `${MONTHS[month]} ${String(day).padStart(2)} ${clock(local)}`;
  }

  /** "20260202000156" of the wall clock. */
  digits(time: number): string {
    const local = time + this.zone.offsetAt(time);
    const [year, month, day] = civilFromDays(Math.floor(local / DAY));
    return `${year}${two(month + 1)}${two(day)}${clock(local).replaceAll(":", "")}`;
  }

  private turn(second: number): void {
    this.second = second;
    const offset = this.zone.offsetAt(second * 1000);
    const local = second * 1000 + offset;
    const [year, month, day] = civilFromDays(Math.floor(local / DAY));
    if (this.format === "rfc3164") this.stamp = `${MONTHS[month]} ${String(day).padStart(2)} ${clock(local)}`;
    else this.stamp = `${year}-${two(month + 1)}-${two(day)}T${clock(local)}`;
    const minutes = Math.abs(offset) / 60_000;
    this.offset =
      offset === 0 && this.zone.name === "UTC"
        ? "Z"
        : `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
}

/** "00:01:56" of a local time in ms. */
function clock(local: number): string {
  const seconds = Math.floor(local / 1000) - Math.floor(local / DAY) * 86_400;
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
