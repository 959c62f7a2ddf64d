// Where the recorded episodes lie: the lab's whole file where it is, else the excerpt that is part of the clone.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Material, readEpisodes } from "../src/compose/material.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = resolve(ROOT, process.env["LOGVANE_DATA"] ?? "../shared/data");
const WHOLE = join(DATA, "lab/episodes.jsonl.gz");
const EXCERPT = join(ROOT, "samples/episodes.jsonl.gz");

/** The episodes, and a word on which they are. */
export function loadMaterial(): { readonly material: Material; readonly source: string } {
  const whole = existsSync(WHOLE);
  const text = gunzipSync(readFileSync(whole ? WHOLE : EXCERPT)).toString("utf8");
  return {
    material: new Material(readEpisodes(text)),
    source: whole ? "the lab's episodes" : "the excerpt of the lab's episodes in samples/",
  };
}
