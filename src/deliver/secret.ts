import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { Fault } from "../fault.ts";

/** Bytes of a password or token; more is a wrong file. */
const MAX_BYTES = 4096;
/** Rights of anyone but the owner. A group may read: services are often given a secret that way. */
const OTHERS = 0o027;

/**
 * The secret that a file holds alone, without a line end. Read at each use, so that a changed one needs no restart. where:
 * the setting that names the file. Throws Fault configuration when it can't be read, is empty, or others can read it.
 */
export function readSecret(path: string, where: string): string {
  const effect = "nothing is sent on this channel; what waits is kept";
  let text: string;
  try {
    const fd = openSync(path, "r");
    try {
      const { mode, size } = fstatSync(fd);
      if ((mode & OTHERS) !== 0)
        throw new Fault(
          "configuration",
          `the file of a secret is open to others (mode ${(mode & 0o777).toString(8).padStart(4, "0")}): ${path}`,
          where,
          effect,
          `chmod 600 ${path}, and change the secret if others use this machine`,
        );
      if (size > MAX_BYTES) throw new Error("it is too long for a secret");
      text = readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Fault(
      "configuration",
      `cannot read the file of a secret: ${path} (${code ?? message})`,
      where,
      effect,
      "check the path, and that it belongs to the user that Logvane runs as",
    );
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "" && !/[\r\n\0]/.test(secret)) return secret;
  throw new Fault(
    "configuration",
    `the file of a secret ${secret === "" ? "is empty" : "has more than one line"}: ${path}`,
    where,
    effect,
    "write the password or token alone into it, on one line",
  );
}
