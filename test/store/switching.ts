import { openStore } from "../../src/store/queries.ts";

/** Puts one model after the other in use, until it is killed. Argument: the state folder. */

const BYTES = 3_000_000;
const store = openStore(process.argv[2]!);
for (let n = 0; ; n++) {
  const id = `model${n}`;
  store.saveModel(
    { id, createdAt: n, header: { n }, blob: new Uint8Array(BYTES).fill(n) },
    { warm: new Uint8Array(BYTES).fill(n + 1), mark: { name: "retrained", value: id } },
  );
  if (n === 1) process.stdout.write("second\n");
}
