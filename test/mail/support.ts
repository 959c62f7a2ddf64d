import type { Envelope } from "../../src/log/envelope.ts";
import { EventReader } from "../../src/mail/read.ts";

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const LINE = /^([A-Z][a-z]{2}) +(\d+) (\d\d):(\d\d):(\d\d) (\S+) ([^ :[]+)(?:\[(\d+)\])?: ?(.*)$/s;

/** RFC 3164 in UTC of 2026, for tests of the mail layer alone. */
export function envelopeOf(text: string): Envelope {
  const m = LINE.exec(text);
  if (!m) return { time: null, host: "", program: "", pid: undefined, message: text };
  const [, month, day, h, min, s, host, program, pid, message] = m;
  const time = Date.UTC(2026, MONTHS.indexOf(month!) / 3, Number(day), Number(h), Number(min), Number(s));
  return {
    time,
    host: host!,
    program: program!,
    pid: pid === undefined ? undefined : Number(pid),
    message: message!,
  };
}

/** A reader with a mask plain enough to be checked by eye. */
export const plainReader = (): EventReader =>
  new EventReader({ envelope: envelopeOf, mask: (s) => s.replace(/\d+/g, "0"), templateId: (t) => t });
