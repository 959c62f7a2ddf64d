import { readFileSync } from "node:fs";

/** The version of package.json, two folders above the compiled source. */
export function release(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return String((JSON.parse(text) as { version?: unknown }).version);
}
