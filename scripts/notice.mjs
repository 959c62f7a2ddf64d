// Writes NOTICE: name, version, licence and licence text of everything that is installed with Logvane. --check: says whether it is
// up to date instead.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const FILE = join(ROOT, "NOTICE");
const RULE = "-".repeat(100);

/** The production dependencies of the lock file, those that only some systems have left out; by path. */
function installed() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && !entry.dev && !entry.optional && !entry.devOptional)
    .map(([path]) => join(ROOT, path))
    .sort();
}

/** The texts that a package brings: its licence and notices. Of one that brings none, what its README says. */
function texts(folder) {
  const names = readdirSync(folder).sort();
  const found = names.filter((name) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(name));
  if (found.length > 0) return found.map((name) => readFileSync(join(folder, name), "utf8").trim());
  const readme = names.find((name) => /^readme(\.|$)/i.test(name));
  const section =
    readme &&
    /^#+ *licen[cs]e\b[^\n]*\n([\s\S]*?)(?=^#|(?![\s\S]))/im.exec(readFileSync(join(folder, readme), "utf8"));
  return section ? [section[1].trim()] : [];
}

function entry(folder) {
  const { name, version, license, author, repository } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  if (typeof license !== "string") throw new Error(`${name} names no licence: look at it by hand`);
  const found = texts(folder);
  const by = typeof author === "string" ? author : author?.name;
  const from = typeof repository === "string" ? repository : repository?.url;
  const head = [`${name} ${version}`, `Licence: ${license}`];
  if (found.length === 0) head.push(`By: ${by ?? "unknown"}`, `From: ${from ?? "unknown"}`);
  return `${RULE}\n${head.join("\n")}\n${found.map((text) => `\n${text.replace(/\r\n/g, "\n")}\n`).join("")}`;
}

const entries = installed().map(entry);
const text = `Logvane
Licensed under the Apache License, version 2.0 (see LICENSE).

The packages below are installed with it, each under its own licence. Written by: npm run notice

${[...new Set(entries)].join("\n")}`;
if (process.argv.includes("--check")) {
  if (existsSync(FILE) && readFileSync(FILE, "utf8") === text) process.exit(0);
  console.error("NOTICE is out of date: npm run notice");
  process.exit(1);
}
writeFileSync(FILE, text);
