/** An id is no longer than this; Postfix's own have up to 20 characters. */
const MAX_QUEUE_ID = 32;
/** "NOQUEUE". */
const NOQUEUE = [78, 79, 81, 85, 69, 85, 69];

/**
 * Whether bytes[from, to) look like a Postfix queue id: a short one (upper hex), a long one (base 52 without vowels, with
 * a z), or what only looks like one: upper case letters and digits, or letters without vowels and digits (anonymised
 * logs); or are NOQUEUE. Source: Postfix, enable_long_queue_ids; src/global/mail_queue.h.
 */
export function isQueueId(bytes: Uint8Array, from: number, to: number): boolean {
  const n = to - from;
  if (n < 5 || n > MAX_QUEUE_ID) return false;
  let hex = true;
  let upper = true;
  let vowels = false;
  let digits = 0;
  let z = -1;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c >= 48 && c <= 57) digits++;
    else if (c >= 65 && c <= 90) {
      if (c > 70) hex = false;
      if (c === 65 || c === 69 || c === 73 || c === 79 || c === 85) vowels = true;
    } else if (c >= 97 && c <= 122) {
      hex = upper = false;
      if (c === 122) z = i - from;
      else if (c === 97 || c === 101 || c === 105 || c === 111 || c === 117) vowels = true;
    } else return false;
  }
  if (hex) return true;
  if (n === NOQUEUE.length && NOQUEUE.every((c, i) => bytes[from + i] === c)) return true;
  if (upper) return digits > 1 && n >= 8;
  return (z >= 9 && n >= 12) || (!vowels && digits > 0 && n >= 10);
}
