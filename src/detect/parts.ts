import type { Alert, Part } from "./alert.ts";
import type { Candidate } from "./candidate.ts";
import { minutesOf, partKey, partName, sizeOf } from "./rules.ts";

/** What an incident consists of, by which feedback knows it again. */

/** Parts of an incident that are remembered, the first ones: more belong to a storm, and its first ones come again. */
const MAX_PARTS = 64;
/** Templates remembered of a part. */
const MAX_TEMPLATES = 16;

/** Remembers what an incident consists of. */
export function note({ parts }: Alert, c: Candidate): void {
  const { kind } = c;
  const key = partKey(c);
  const size = sizeOf(c.measure);
  const ids = c.templates.map(({ id }) => id);
  const known = parts.find((part) => part.key === key);
  if (known) {
    if (size > known.size) grow(known, size, minutesOf(c));
    if (!known.kinds.includes(kind)) known.kinds.push(kind);
    for (const id of ids)
      if (known.templates.length < MAX_TEMPLATES && !known.templates.includes(id)) known.templates.push(id);
  } else if (parts.length < MAX_PARTS)
    parts.push({
      ...{ key, kinds: [kind], templates: ids.slice(0, MAX_TEMPLATES), name: partName(c), size },
      minutes: minutesOf(c),
    });
}

/** minutes: over which the size was counted. */
export function grow(part: Part, size: number, minutes: number): void {
  part.size = size;
  part.minutes = minutes;
}
