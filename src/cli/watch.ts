import type { Command } from "commander";
import { type Ended, runService } from "../daemon/service.ts";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { loadKernels } from "./kernels.ts";
import { isQuiet, type Options, stateDir } from "./options.ts";
import { faultText, writeError } from "./out.ts";
import { release } from "./release.ts";
import { loadSettings, settingsOf } from "./settings.ts";

/** Registers `logvane watch`. */
export function watchCommand(program: Command): Command {
  return program
    .command("watch")
    .description("follow the configured logs, judge each line as it comes, send alerts: the daemon")
    .option("--once", "read what is there, deliver what is due, and end")
    .option("--cold", "begin with empty windows, without the state of the last run")
    .action(async (options: Options) => watch(options));
}

async function watch(options: Options): Promise<void> {
  const stop = new AbortController();
  let reload = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      stop.abort();
      reload.abort();
    });
  process.on("SIGHUP", () => reload.abort());
  let cold = options["cold"] === true;
  const once = options["once"] === true;
  await loadSettings(options);
  while (!stop.signal.aborted) {
    const { why, lines } = await serve(options, { cold, once }, reload.signal);
    if (!isQuiet(options)) say(`${lines} lines read; ${WHY[why]}\n`);
    if (why === "read") return;
    cold = false;
    reload = new AbortController();
    if (!stop.signal.aborted) await reloadSettings(options);
  }
}

/** Reads the settings again. With a mistake in them a daemon goes on as before: nobody would see that it has ended. */
async function reloadSettings(options: Options): Promise<void> {
  try {
    await loadSettings(options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { exit, message, where, remedy } = error;
    tell(new Fault(exit, message, where, "watching goes on with the settings before", remedy));
  }
}

const WHY: Readonly<Record<Ended["why"], string>> = {
  stopped: "all is written, and the next start goes on there",
  read: "nothing more is there now",
  model: "another model is in use now, going on with that",
};

/** Runs a watch by the settings and flags of a verb, until the signal, or `once`. Throws a Fault as runService. */
export async function serve(
  options: Options,
  { cold, once }: { readonly cold: boolean; readonly once: boolean },
  signal: AbortSignal,
): Promise<Ended> {
  return runService(
    {
      ...{ config: settingsOf(options), cold, once, say, fault: tell },
      stateDir: stateDir(options),
      kernels: loadKernels(),
      release: release(),
    },
    signal,
  );
}

/** The journal takes the priority of a line from its head (sd-daemon(3)). */
const journal = process.env["JOURNAL_STREAM"] !== undefined;
const say = (text: string): void => writeError(`${journal ? "<6>" : ""}${terminalSafe(text.trimEnd())}\n`);

function tell(fault: Fault): void {
  const text = faultText(fault);
  writeError(journal ? text.replace(/^(?=.)/gm, "<4>") : text);
}
