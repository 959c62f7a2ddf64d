/** Runs one command line. args: without node and the script. Returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  process.stderr.write(`logvane: no verbs yet (${args.join(" ")})\n`);
  return 64;
}
