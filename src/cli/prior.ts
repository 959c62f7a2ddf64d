import { readFileSync } from "node:fs";
import type { Prior } from "../pipeline/prior.ts";
import type { Options } from "./options.ts";
import { settingsOf } from "./settings.ts";

/** What a new server may begin with; it comes with the program. */
export const loadPrior = (): Prior =>
  JSON.parse(readFileSync(new URL("../../../samples/prior.json", import.meta.url), "utf8")) as Prior;

/** For a first training: where --prior or the configuration asks for it. */
export const priorFor = (options: Options): Prior | undefined =>
  options["prior"] === true || settingsOf(options).retrain.prior ? loadPrior() : undefined;
