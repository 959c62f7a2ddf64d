import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { alertFromRecord } from "../report/record.ts";
import { renderAlertText } from "../report/text.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore, type StoredAlert } from "../store/queries.ts";
import {
  addCommonOptions,
  addZoneOption,
  demoState,
  type Options,
  outputFormat,
  stateDir,
} from "./options.ts";
import { viewOptions, writeOut } from "./out.ts";

/** Registers `logvane explain`. */
export function explainCommand(program: Command): Command {
  const command = program
    .command("explain")
    .description("tell all that is known of an alert")
    .argument("<id>", "the alert's id, or its beginning")
    .action(async (id: string, options: Options) => {
      const format = outputFormat(options, ["text", "json"]);
      const record = find(stateDir(options), demoState(options), id);
      await writeOut(
        format === "json"
          ? `${JSON.stringify(record, undefined, 2)}\n`
          : renderAlertText(alertFromRecord(record), viewOptions(options, "")),
      );
    });
  return addZoneOption(addCommonOptions(command));
}

function find(dir: string, demo: string, id: string): StoredAlert {
  for (const folder of [dir, demo]) {
    const record = hasDatabase(folder) ? search(folder, id) : undefined;
    if (record !== undefined) return record;
  }
  throw new Fault(
    "noInput",
    `there is no alert "${id.slice(0, 80)}"`,
    `state folder ${dir}`,
    "nothing was shown",
    "logvane alerts lists the ids; --state DIR names another state folder",
  );
}

function search(dir: string, id: string): StoredAlert | undefined {
  const store = openStore(dir);
  try {
    return store.getAlert(id);
  } finally {
    store.close();
  }
}
