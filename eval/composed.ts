// What the back-test finds on composed servers: npm run eval:composed [-- NAME...] [--only-known] [--baselines] [--draw N]. Prints Markdown;
// `npm run eval -- servers` writes the same of all servers into docs/accuracy.md. No threshold of the detector was or may be fitted to them.
import { cpus } from "node:os";
import { Command } from "commander";
import { countRules } from "./accuracy/count-rules.ts";
import { measureServers, rivalTables, serverTables } from "./accuracy/servers.ts";
import { slowThings } from "./accuracy/slow.ts";
import { commandLine, namesOf, wholeNumber } from "./command.ts";
import { drawnAnew } from "./drawn.ts";
import { PRESETS } from "./presets.ts";

const program = new Command("eval:composed")
  .addArgument(
    namesOf(
      "server",
      PRESETS.map(({ name }) => name),
    ),
  )
  .option("--only-known", "without lines of templates that training does not have", false)
  .option("--baselines", "beside the baselines", false)
  .option(
    "--draw <n>",
    "servers drawn anew, from 1 on: other traffic, faults in another order and at other hours",
    "0",
  );
type Flags = { readonly onlyKnown: boolean; readonly baselines: boolean; readonly draw: string };
const { flags, names } = commandLine<Flags>(program);
const draw = wholeNumber(flags.draw, "--draw");
const chosen = PRESETS.filter(({ name }) => names.length === 0 || names.includes(name)).map((preset) =>
  draw === 0 ? preset : drawnAnew(preset, draw),
);
const all = await measureServers(chosen, flags.onlyKnown, flags.baselines);
const parts = [
  `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`,
  serverTables(all),
  slowThings(all),
  ...(flags.baselines ? [rivalTables(all), countRules(all)] : []),
];
process.stdout.write(`${parts.join("\n\n")}\n`);
