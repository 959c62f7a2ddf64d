import { resolve } from "node:path";
import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { type Manifest, writeBackup } from "../store/backup.ts";
import { restoreBackup } from "../store/restore.ts";
import { addCommonOptions, type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";
import { release } from "./release.ts";

/** Registers `logvane export`. */
export function exportCommand(program: Command): Command {
  const command = program
    .command("export")
    .description(
      "write the whole state to one file as a backup, also while it is being watched; or restore it",
    )
    .argument("[file]", "file of the backup")
    .option("--restore <file>", "put the state of a backup into the state folder")
    .option("--force", "restore also where there is a state, which is kept as logvane.db.before-restore");
  return addCommonOptions(command).action(async (file: string | undefined, options: Options) => {
    const format = outputFormat(options, ["text", "json"]);
    const { restore } = options;
    if ((file === undefined) === (typeof restore !== "string")) throw oneFile();
    const print = async (record: object, text: string): Promise<void> =>
      writeOut(format === "json" ? `${JSON.stringify(record, undefined, 2)}\n` : text);
    const dir = stateDir(options);
    if (file !== undefined) {
      const manifest = await writeBackup(dir, resolve(file), { release: release(), now: Date.now() });
      return print({ file, ...manifest }, `wrote ${terminalSafe(file)}: ${stateText(manifest)}\n`);
    }
    const { manifest, kept } = await restoreBackup(String(restore), dir, options["force"] === true);
    const before = kept === undefined ? "" : `what was there before is ${terminalSafe(kept)} now\n`;
    return print(
      { ...manifest, kept: kept ?? null },
      `restored ${terminalSafe(dir)}: ${stateText(manifest)}\n${before}`,
    );
  });
}

const stateText = ({ bytes, created, release }: Manifest): string =>
  `${(bytes / 1e6).toFixed(1)} MB of state, of ${terminalSafe(created)}, by Logvane ${terminalSafe(release)}`;

const oneFile = (): Fault =>
  new Fault(
    "usage",
    "give one file: that of the backup, or the one to restore",
    "command line: logvane export",
    "nothing was done",
    "type: logvane export FILE, or: logvane export --restore FILE",
  );
