import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Options for a suite that needs a program of the system: skipped by name where it is missing, and a failure instead
 * when REQUIRE_ALL=1 (CI installs everything by `npm run setup:system`).
 */
export function needs(...programs: readonly string[]): { skip?: string } {
  const path = `${process.env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  const missing = programs.filter((name) => !path.some((dir) => existsSync(join(dir, name))));
  if (missing.length === 0) return {};
  const why = `${missing.join(", ")} not found (npm run setup:system installs it)`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(why);
  return { skip: why };
}
