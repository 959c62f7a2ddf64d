// What the back-test finds on composed servers: npm run eval:composed [-- NAME...] [--only-known] [--baselines]. Prints Markdown;
// `npm run eval -- servers` writes the same of all servers into docs/accuracy.md. Nothing of the detector was or may be tuned on them.
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { countRules } from "./accuracy/count-rules.ts";
import { measureServers, rivalTables, serverTables } from "./accuracy/servers.ts";
import { slowThings } from "./accuracy/slow.ts";
import { PRESETS } from "./presets.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "only-known": { type: "boolean", default: false },
    baselines: { type: "boolean", default: false },
  },
});
const chosen = PRESETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const all = await measureServers(chosen, values["only-known"], values.baselines);
const parts = [
  `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`,
  serverTables(all),
  slowThings(all),
  ...(values.baselines ? [rivalTables(all), countRules(all)] : []),
];
process.stdout.write(`${parts.join("\n\n")}\n`);
