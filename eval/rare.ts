// What is rare but normal, by weekly trainings that remember and by one that does not: npm run eval:rare [-- --seed 1 --every 7]
// Prints what either tells a quarter after the second time, whether a fault is found, and how large the memory is.
import { Command } from "commander";
import { packModel } from "../src/store/model.ts";
import { runCommand, wholeNumber } from "./command.ts";
import { loadMaterial } from "./episodes.ts";
import { at, FAULT_HOUR, FIRST, iso, LAST, rareLog, SEEN, SMALL } from "./rare-log.ts";
import { Weeks } from "./weeks.ts";

/** every: days between trainings. */
function rare(seed: number, every: number): void {
  const { material, source } = loadMaterial("first");
  const weeks = new Weeks(rareLog(material, seed, { ...SMALL, mailsPerDay: 80, noisePerDay: 60 }), {
    without: new Set(),
    timeOnly: false,
  });
  console.log(`Composed from ${source}; seed ${seed}.\n`);
  let remembering = weeks.learn(at(FIRST));
  for (let day = FIRST + every; day < LAST; day += every) remembering = weeks.learn(at(day), remembering);
  remembering = weeks.learn(at(LAST), remembering);
  const forgetful = weeks.learn(at(LAST));
  for (const [name, learned] of Object.entries({ forgetful, remembering })) {
    const told = weeks.watch(learned, at(LAST), at(0, FAULT_HOUR)).filter(({ held }) => !held);
    console.log(`${name}: ${told.length} told from ${iso(LAST)}, in which all is normal`);
    for (const { openedAt, title } of told) console.log(`    ${new Date(openedAt).toISOString()}  ${title}`);
    const found = weeks
      .watch(learned, at(0, FAULT_HOUR - 12), at(0, FAULT_HOUR + 4))
      .find(({ openedAt }) => openedAt >= at(0, FAULT_HOUR));
    const minutes = found && Math.round((found.openedAt - at(0, FAULT_HOUR)) / 60_000);
    console.log(`    the fault: ${found ? `found after ${minutes} minutes: ${found.title}` : "missed"}`);
  }
  console.log(`\nThird time on day ${SEEN.at(-1)}. What is remembered, in bytes (gzipped):`);
  const { model, pairs } = remembering;
  const packed = (value: unknown): number => packModel({ model: value as never, pairs: [] as never }).length;
  const parts = {
    [`${model.window.remembered!.slots.length} slots of surges`]: model.window.remembered,
    [`${model.transaction!.samples!.length} transactions`]: model.transaction!.samples,
    "strange transactions": model.transaction!.rates.remembered,
    "entities that are allowed more": model.entity.features.map((f) => f.remembered),
  };
  for (const [name, part] of Object.entries(parts)) console.log(`    ${packed(part)}  ${name}`);
  console.log(`    ${packModel({ model, pairs }).length}  the whole model`);
  console.log(`    ${packModel(forgetful).length}  the whole model that remembers nothing of before`);
}

const program = new Command("eval:rare")
  .option("--seed <n>", "seed of the composed log", "1")
  .option("--every <days>", "days between trainings, at most the five weeks that each learns", "7")
  .action(({ seed, every }: { seed: string; every: string }) =>
    rare(wholeNumber(seed, "--seed"), Math.max(1, wholeNumber(every, "--every"))),
  );
await runCommand(program, process.argv.slice(2));
