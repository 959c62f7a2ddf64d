// What the back-test finds on composed servers: npm run eval:composed [-- NAME...] [--only-known] [--baselines]. Prints Markdown;
// `npm run eval -- servers` writes the same of all servers into docs/accuracy.md. No threshold of the detector was or may be fitted to them.
import { cpus } from "node:os";
import { Command } from "commander";
import { countRules } from "./accuracy/count-rules.ts";
import { measureServers, rivalTables, serverTables } from "./accuracy/servers.ts";
import { slowThings } from "./accuracy/slow.ts";
import { commandLine, namesOf } from "./command.ts";
import { PRESETS } from "./presets.ts";

const program = new Command("eval:composed")
  .addArgument(
    namesOf(
      "server",
      PRESETS.map(({ name }) => name),
    ),
  )
  .option("--only-known", "without lines of templates that training does not have", false)
  .option("--baselines", "beside the baselines", false);
const { flags, names } = commandLine<{ readonly onlyKnown: boolean; readonly baselines: boolean }>(program);
const chosen = PRESETS.filter(({ name }) => names.length === 0 || names.includes(name));
const all = await measureServers(chosen, flags.onlyKnown, flags.baselines);
const parts = [
  `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`,
  serverTables(all),
  slowThings(all),
  ...(flags.baselines ? [rivalTables(all), countRules(all)] : []),
];
process.stdout.write(`${parts.join("\n\n")}\n`);
