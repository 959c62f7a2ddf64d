// Where the recorded episodes lie. First site: the lab's whole file where it is, else the excerpt that is part of the clone. Second site: in the clone.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type Episode, Material, readEpisodes } from "../src/compose/material.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = resolve(ROOT, process.env["LOGVANE_DATA"] ?? "../shared/data");
const WHOLE = join(DATA, "lab/episodes.jsonl.gz");
const EXCERPT = join(ROOT, "samples/episodes.jsonl.gz");
/** Made by eval:lab. */
const SECOND = join(ROOT, "samples/episodes-second.jsonl.gz");

/** The recorded server: with postscreen and opendkim, or with postgrey and rspamd. */
export type Site = "first" | "second";

/** The episodes of a site, or those to be kept of them, and a word on which they are. */
export function loadMaterial(
  site: Site,
  keep: (episode: Episode) => boolean = () => true,
): { readonly material: Material; readonly source: string } {
  const whole = existsSync(WHOLE);
  const path = site === "second" ? SECOND : whole ? WHOLE : EXCERPT;
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return {
    material: new Material([...readEpisodes(text)].filter(keep)),
    source:
      site === "second"
        ? "the second site's episodes in samples/"
        : whole
          ? "the lab's episodes"
          : "the excerpt of the lab's episodes in samples/",
  };
}
