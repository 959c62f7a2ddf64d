import { terminalSafe } from "../../report/escape.ts";
import { type Options, outputFormat } from "../options.ts";
import { writeOut } from "../out.ts";
import { settingsOf } from "../settings.ts";
import { ask } from "../survey.ts";
import { CRON_FILE, cronFile } from "./cron.ts";
import { isCurrent, stateOf } from "./files.ts";
import { systemdRuns } from "./host.ts";
import { planOf, targetOf, UNITS } from "./target.ts";
import { type Plan, SYSUSERS, unitFiles } from "./units.ts";

/** Tells what is installed, when it runs next and how it went. */
export async function show(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const target = targetOf(options);
  const { host, folder, scope } = target;
  const paths = [...UNITS.map((unit) => `${folder}/${unit}`), SYSUSERS, CRON_FILE];
  const found = paths
    .map((path) => ({ path, state: stateOf(host.root, path) }))
    .filter(({ state }) => state !== "missing");
  const ours = found.filter(({ state }) => state === "ours");
  const cron = ours.some(({ path }) => path === CRON_FILE);
  const daily = cron || !ours.some(({ path }) => path.endsWith("/logvane.service"));
  const plan = planOf({ ...target, cron }, { ...options, daily }, settingsOf(options));
  const wanted = cron ? [cronFile(plan)] : unitFiles(plan, folder);
  const files = ours.map(({ path }) => {
    const file = wanted.find((w) => w.path === path);
    return { path, current: file !== undefined && isCurrent(host.root, file) };
  });
  const foreign = found.filter(({ state }) => state === "foreign").map(({ path }) => path);
  const units = systemdRuns(host) ? unitStates(scope) : [];
  if (format === "json") await writeOut(`${JSON.stringify({ files, foreign, units }, undefined, 2)}\n`);
  else await writeOut(showText(files, foreign, units));
}

type UnitState = {
  readonly unit: string;
  readonly active: string;
  readonly result: string;
  readonly last: string;
  readonly next: string;
};

/** What systemd says of our units. */
function unitStates(scope: Plan["scope"]): UnitState[] {
  const user = scope === "user" ? ["--user"] : [];
  const properties = [
    "ActiveState",
    "Result",
    "ExecMainExitTimestamp",
    "LastTriggerUSec",
    "NextElapseUSecRealtime",
  ];
  return UNITS.flatMap((unit) => {
    const printed = ask("systemctl", [...user, "show", unit, `--property=LoadState,${properties.join(",")}`]);
    if (printed === undefined || !printed.includes("LoadState=loaded")) return [];
    const value = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(printed)?.[1] ?? "";
    return [
      {
        unit,
        active: value("ActiveState"),
        result: value("Result"),
        last: value("LastTriggerUSec") || value("ExecMainExitTimestamp"),
        next: value("NextElapseUSecRealtime"),
      },
    ];
  });
}

function showText(
  files: readonly { path: string; current: boolean }[],
  foreign: readonly string[],
  units: readonly UnitState[],
): string {
  if (files.length === 0 && foreign.length === 0)
    return "Nothing is installed. logvane schedule install does it.\n";
  const lines = files.map(
    ({ path, current }) => `${path}${current ? "" : "   differs from what install would write now"}`,
  );
  for (const path of foreign) lines.push(`${path}   not written by Logvane`);
  for (const { unit, active, result, last, next } of units)
    lines.push(
      `${unit.padEnd(24)}${active}, ${result || "-"}${last ? `; last ${last}` : ""}${next ? `; next ${next}` : ""}`,
    );
  if (units.length === 0) lines.push("systemd does not run here, so that there is no more to tell");
  return lines.map((line) => `${terminalSafe(line)}\n`).join("");
}
