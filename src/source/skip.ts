/** Bytes of a file that another one holds too: whole lines from byte `from` up to `to`, which are not read. */
export type Skip = { readonly from: number; readonly to: number; readonly lines: number };

/** A stretch of bytes to read, after `lines` lines of the file that are left out. */
export type Stretch = { readonly bytes: Uint8Array; readonly left: number };

/** The bytes of a file around what is left out; `left` counts the lines left out so far. */
export async function* around(
  bytes: (from?: number) => AsyncIterable<Uint8Array>,
  skips: readonly Skip[],
): AsyncGenerator<Stretch> {
  let next = 0;
  let left = 0;
  let at = 0;
  if (skips[0]?.from === 0) {
    at = skips[0].to;
    left = skips[0].lines;
    next = 1;
  }
  for await (const chunk of bytes(at)) {
    let from = 0;
    while (from < chunk.length) {
      const skip = skips[next];
      const until =
        skip === undefined ? chunk.length : Math.min(chunk.length, Math.max(from, skip.from - at));
      if (until > from) yield { bytes: chunk.subarray(from, until), left };
      if (skip === undefined || until === chunk.length) break;
      from = Math.min(chunk.length, skip.to - at);
      if (at + from < skip.to) break;
      left += skip.lines;
      next++;
    }
    at += chunk.length;
  }
}
