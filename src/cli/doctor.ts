import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { EXIT, Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import {
  addCommonOptions,
  addZoneOption,
  type Options,
  outputFormat,
  stateDir,
  timeZone,
} from "./options.ts";
import { writeOut } from "./out.ts";
import { loadConfig } from "./settings.ts";

/** One thing that was looked at. */
export type Check = {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do; missing when all is well. */
  readonly remedy?: string;
};

/** Where mail daemons log on common systems. */
const LOGS = [
  "/var/log/mail.log",
  "/var/log/maillog",
  "/var/log/mail",
  "/var/log/syslog",
  "/var/log/messages",
];
const MIN_NODE: readonly [number, number] = [20, 19];
/** A state of a few months needs less; below it a run may end with a full disk. */
const MIN_FREE_BYTES = 200e6;
const KERNELS = new URL("../math/kernels.wasm", import.meta.url);
/** Part of every Node; its types come with those of browsers, which we leave out. */
const wasm: { validate(bytes: Uint8Array): boolean } = Reflect.get(globalThis, "WebAssembly");

/** Registers `logvane doctor`. Its exit code is 78 when a check fails. */
export function doctorCommand(program: Command): Command {
  const command = program
    .command("doctor")
    .description("check the installation, the state folder and the logs of this machine")
    .action(async (options: Options) => {
      const format = outputFormat(options, ["text", "json"]);
      const checks = await runChecks(options);
      await writeOut(
        format === "json" ? `${JSON.stringify({ checks }, undefined, 2)}\n` : checksText(checks),
      );
      if (checks.some((check) => check.status === "fail")) process.exitCode = EXIT.configuration;
    });
  return addZoneOption(addCommonOptions(command));
}

async function runChecks(options: Options): Promise<Check[]> {
  const dir = stateDir(options);
  return [
    checkNode(),
    await checkSqlite(),
    checkKernels(),
    await checkConfig(options),
    await checkState(dir),
    ...(await (await import("./doctor-state.ts")).checkFigures(dir, options, Date.now())),
    checkSpace(dir),
    ...checkLogs(),
  ].concat(checkZone(timeZone(options)));
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  const check = { name: "node", found: process.version };
  if (enough) return { ...check, status: "ok" };
  return { ...check, status: "fail", remedy: `install Node ${MIN_NODE.join(".")} or newer` };
}

async function checkSqlite(): Promise<Check> {
  try {
    const { sqliteVersion } = await import("../store/db.ts");
    return { name: "sqlite", status: "ok", found: sqliteVersion() };
  } catch (error) {
    return failed("sqlite", error, "build the binding again: npm rebuild better-sqlite3");
  }
}

/** The state of a failed check, with the fault's own remedy if it has one. */
function failed(name: string, error: unknown, remedy: string): Check {
  const known = error instanceof Fault ? error.remedy : remedy;
  return {
    name,
    status: "fail",
    found: error instanceof Error ? error.message : String(error),
    remedy: known,
  };
}

function checkKernels(): Check {
  const name = "kernels";
  if (!existsSync(KERNELS))
    return {
      name,
      status: "warn",
      found: "the compiled kernels are missing; training is slower without them",
      remedy: "build them: npm run build",
    };
  try {
    const bytes = readFileSync(KERNELS);
    if (!wasm.validate(bytes)) throw new Error("this Node cannot run the compiled kernels");
    return { name, status: "ok", found: `${bytes.length} bytes of WebAssembly with SIMD` };
  } catch (error) {
    return failed(name, error, "build them again: npm run build");
  }
}

async function checkConfig(options: Options): Promise<Check> {
  const name = "config";
  try {
    const { place, text, mistakes } = await loadConfig(options);
    if (text === undefined)
      return { name, status: "ok", found: `no ${place.path}; all settings are the defaults` };
    if (mistakes.length === 0) return { name, status: "ok", found: place.path };
    const found = `${place.path} has ${mistakes.length} mistakes, the first in line ${mistakes[0]!.line}`;
    return { name, status: "fail", found, remedy: "see them all: logvane config check" };
  } catch (error) {
    return failed(name, error, "check the file, or name another one with --config");
  }
}

async function checkState(dir: string): Promise<Check> {
  const name = "state";
  try {
    const { hasDatabase } = await import("../store/db.ts");
    if (!hasDatabase(dir)) return checkNewState(name, dir);
    const store = (await import("../store/queries.ts")).openStore(dir);
    try {
      const model = store.champion();
      const found = model === undefined ? "no model yet" : `model ${model.id}`;
      return { name, status: "ok", found: `${dir}: ${found}` };
    } finally {
      store.close();
    }
  } catch (error) {
    return failed(name, error, "name another folder with --state DIR");
  }
}

function checkNewState(name: string, dir: string): Check {
  const existing = nearest(dir);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return { name, status: "ok", found: `${dir}: empty; filled by the first training` };
  } catch {
    return {
      name,
      status: "fail",
      found: `${existing} may not be written`,
      remedy: "name a folder of your own with --state DIR",
    };
  }
}

/** The folder itself, or the closest one above it that exists. */
function nearest(dir: string): string {
  let path = dir;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}

function checkSpace(dir: string): Check {
  const { bavail, bsize } = statfsSync(nearest(dir));
  const free = bavail * bsize;
  const check = {
    name: "space",
    found: `${Math.floor(free / 1e6).toLocaleString("en-US")} MB free at ${dir}`,
  };
  if (free >= MIN_FREE_BYTES) return { ...check, status: "ok" };
  return {
    ...check,
    status: "warn",
    remedy: "free some space, or name a folder on another disk with --state",
  };
}

function checkLogs(): Check[] {
  const checks = LOGS.filter((path) => existsSync(path)).map((path): Check => {
    try {
      accessSync(path, constants.R_OK);
      return { name: "log", status: "ok", found: path };
    } catch {
      return {
        name: "log",
        status: "warn",
        found: `${path} may not be read`,
        remedy: "run as root, or add your user to the group that owns it (on Debian: adm)",
      };
    }
  });
  if (checks.length > 0) return checks;
  const found = "no mail log at the usual places";
  return [{ name: "log", status: "warn", found, remedy: "name your log: logvane parse --stats FILE" }];
}

function checkZone(zone: string): Check {
  return { name: "timezone", status: "ok", found: `${zone}, for lines without offset` };
}

function checksText(checks: readonly Check[]): string {
  return checks
    .map(({ name, status, found, remedy }) => {
      const line = `${status.padEnd(6)}${name.padEnd(10)}${terminalSafe(found)}\n`;
      return remedy === undefined ? line : `${line}${" ".repeat(16)}do: ${terminalSafe(remedy)}\n`;
    })
    .join("");
}
