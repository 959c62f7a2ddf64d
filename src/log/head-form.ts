/** How the head of a line is written, as far as its first characters tell. */
export type HeadForm = "RFC 3164" | "RFC 3339" | "RFC 5424" | "JSON" | "another form" | "no readable time";

const LESS = 60;
const BRACE = 123;
const ZERO = 48;
const NINE = 57;
const DASH = 45;
const SPACE = 32;
const COLON = 58;

/** The form of a line with a readable time: "Mar 16 09:30:00 host ", "2026-03-16T09:30:00 host ", "<22>1 2026-...", "{...}". */
export function headForm(text: string): HeadForm {
  const at = (i: number): number => text.charCodeAt(i);
  if (at(0) === BRACE) return "JSON";
  if (at(0) === LESS) {
    const end = text.indexOf(">", 1);
    return end > 0 && end < 5 && at(end + 1) > ZERO && at(end + 1) <= NINE && at(end + 2) === SPACE
      ? "RFC 5424"
      : "RFC 3164";
  }
  if (at(4) === DASH && at(7) === DASH && at(0) >= ZERO && at(0) <= NINE) return "RFC 3339";
  return at(3) === SPACE && at(6) === SPACE && at(9) === COLON ? "RFC 3164" : "another form";
}
