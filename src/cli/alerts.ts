import { type Command, InvalidArgumentError } from "commander";
import { alertFromRecord } from "../report/record.ts";
import { type AlertTextOptions, alertRowText } from "../report/text.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore, type StoredAlert } from "../store/queries.ts";
import { addCommonOptions, addZoneOption, type Options, outputFormat, stateDir } from "./options.ts";
import { viewOptions, writeOut } from "./out.ts";

const DEFAULT_LIMIT = 20;

/** Registers `logvane alerts`. */
export function alertsCommand(program: Command): Command {
  const command = program
    .command("alerts")
    .description("list the latest alerts")
    .option("--limit <n>", "how many", parseLimit, DEFAULT_LIMIT)
    .action(async (options: Options) => {
      const format = outputFormat(options, ["text", "json", "ndjson"]);
      const records = latest(stateDir(options), Number(options["limit"]));
      if (format === "json") await writeOut(`${JSON.stringify(records, undefined, 2)}\n`);
      else if (format === "ndjson") await writeOut(records.map((r) => `${JSON.stringify(r)}\n`).join(""));
      else await writeOut(listText(records, viewOptions(options, "")));
    });
  return addZoneOption(addCommonOptions(command));
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1)
    throw new InvalidArgumentError("It is no whole number from 1 on.");
  return limit;
}

function latest(dir: string, limit: number): StoredAlert[] {
  if (!hasDatabase(dir)) return [];
  const store = openStore(dir);
  try {
    return store.listAlerts(limit);
  } finally {
    store.close();
  }
}

function listText(records: readonly StoredAlert[], view: AlertTextOptions): string {
  if (records.length === 0) return "No alerts. logvane detect FILE... looks for some.\n";
  const rows = records.map((record) => alertRowText(alertFromRecord(record), view));
  return `${rows.join("")}\nlogvane explain ID tells all of one.\n`;
}
