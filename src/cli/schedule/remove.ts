import { join } from "node:path";
import { terminalSafe } from "../../report/escape.ts";
import { type Options, outputFormat } from "../options.ts";
import { writeOut } from "../out.ts";
import { ask } from "../survey.ts";
import { CRON_FILE } from "./cron.ts";
import { removeFile, stateOf } from "./files.ts";
import { systemdRuns } from "./host.ts";
import { STARTED, type Target, targetOf, UNITS, USER } from "./target.ts";
import { SYSUSERS } from "./units.ts";

/** Stops and removes those of the files that are ours. Returns them. */
export function takeAway({ host, folder, scope }: Target, paths: readonly string[]): string[] {
  const ours = paths.filter((path) => stateOf(host.root, path) === "ours");
  const user = scope === "user" ? ["--user"] : [];
  const started = STARTED.filter((unit) => ours.includes(`${folder}/${unit}`));
  const runs = systemdRuns(host);
  if (runs && started.length > 0) ask("systemctl", [...user, "disable", "--now", ...started]);
  const removed = ours.filter((path) => removeFile(host.root, path));
  if (runs && started.length > 0) ask("systemctl", [...user, "daemon-reload"]);
  return removed;
}

/** Takes away what install wrote. */
export async function remove(options: Options): Promise<void> {
  outputFormat(options, ["text"]);
  const target = targetOf(options);
  const { host, folder, scope } = target;
  const paths = [
    ...UNITS.map((unit) => `${folder}/${unit}`),
    ...(scope === "system" ? [SYSUSERS, CRON_FILE] : []),
  ];
  const ours = paths.filter((path) => stateOf(host.root, path) === "ours");
  if (ours.length === 0) return writeOut("Nothing of ours is installed.\n");
  if (options["dryRun"] === true)
    return writeOut(ours.map((path) => `would remove ${terminalSafe(path)}\n`).join(""));
  for (const path of takeAway(target, ours))
    await writeOut(`removed ${terminalSafe(join(host.root, path))}\n`);
  await writeOut(
    ours.includes(SYSUSERS)
      ? `the account ${USER}, the configuration and the state are kept; userdel ${USER} removes the account\n`
      : "the configuration and the state are kept\n",
  );
}
