import { spawnSync } from "node:child_process";
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

/** The same for a suite that mounts, or makes namespaces of the network and of processes, as root. Containers often may not. */
export function needsNamespaces(...programs: readonly string[]): { skip?: string } {
  const missing = needs("unshare", "ip", "mount", "umount", ...programs);
  if (missing.skip !== undefined) return missing;
  if (process.getuid?.() !== 0) return { skip: "needs root" };
  const args = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "true"];
  if (spawnSync("unshare", args, { stdio: "ignore" }).status === 0) return {};
  const why = "this machine allows no namespaces (CAP_SYS_ADMIN)";
  if (process.env.REQUIRE_ALL === "1") throw new Error(why);
  return { skip: why };
}

/** The same for a suite that makes a file system of a file. No package brings loop devices, so a machine without them fails nothing. */
export function needsLoop(...programs: readonly string[]): { skip?: string } {
  const missing = needsNamespaces("losetup", "mkfs.ext4", "e2fsck", ...programs);
  if (missing.skip !== undefined) return missing;
  if (spawnSync("losetup", ["--find"], { stdio: "ignore" }).status === 0) return {};
  return { skip: "this machine gives out no loop devices" };
}
