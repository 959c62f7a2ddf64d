import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { keptRecord } from "../../src/detect/alert.ts";
import { openStore } from "../../src/store/queries.ts";
import { sampleAlert } from "../report/support.ts";
import { assertFault, type FaultCase } from "./support.ts";

const dir = mkdtempSync(join(tmpdir(), "logvane-said-"));
after(() => rmSync(dir, { recursive: true, force: true }));
const state = join(dir, "state");
const store = openStore(state);
const full = sampleAlert({ id: "d15cf011", kind: "disk_full", class: "always" });
store.saveAlerts([sampleAlert(), full].map(keptRecord));
store.close();
const yearly = join(dir, "yearly.ics");
writeFileSync(
  yearly,
  "BEGIN:VEVENT\nSUMMARY:Fair\nDTSTART:20260907T010000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY\nEND:VEVENT\n",
);
const add = ["calendar", "add", "x", "--state", state];
const from = ["--from", "2026-10-04 02:00"];

const CASES: readonly FaultCase[] = [
  [
    "feedback on no alert",
    ["feedback", "zz", "benign", "--state", state],
    66,
    /no alert "zz"/,
    /state/,
    /alerts/,
  ],
  [
    "a verdict that is none",
    ["feedback", "b4", "fine", "--state", state],
    64,
    /"fine" is no verdict/,
    /id/,
    /benign/,
  ],
  ["no verdict", ["feedback", "b4", "--state", state], 64, /no verdict/, /id/, /benign/],
  [
    "a time without end",
    ["feedback", "b4", "benign", "--for", "ever", "--state", state],
    64,
    /no duration/,
    /--for/,
    /90d/,
  ],
  [
    "more than a year",
    ["feedback", "b4", "benign", "--for", "400d", "--state", state],
    64,
    /year/,
    /--for/,
    /365d/,
  ],
  [
    "an incident for a while",
    ["feedback", "b4", "incident", "--for", "1d", "--state", state],
    64,
    /stays one/,
    /--for/,
    /revoke/,
  ],
  [
    "a full disk called harmless",
    ["feedback", "d1", "benign", "--state", state],
    64,
    /always told/,
    /benign/,
    /snooze/,
  ],
  [
    "a full disk for weeks",
    ["feedback", "d1", "snooze", "--for", "14d", "--state", state],
    64,
    /7 days/,
    /--for/,
    /7d/,
  ],
  [
    "to revoke what is not",
    ["feedback", "revoke", "9", "--state", state],
    64,
    /no feedback 9/,
    /state/,
    /list/,
  ],
  ["an entry without beginning", add, 64, /a name and a beginning/, /add/, /--from/],
  ["an entry without end", [...add, ...from], 64, /--to or --for/, /add/, /--for/],
  [
    "an end before the beginning",
    [...add, ...from, "--to", "2026-10-04 01:00"],
    64,
    /ends before/,
    /add/,
    /end/,
  ],
  ["two months", [...add, ...from, "--for", "60d"], 64, /31 days/, /add/, /31 days/],
  [
    "a kind that is none",
    [...add, ...from, "--for", "1h", "--kind", "fire"],
    64,
    /no kind "fire"/,
    /--kind/,
    /quota/,
  ],
  [
    "an event that is not read",
    ["calendar", "add", "--ics", yearly, "--state", state],
    65,
    /YEARLY/,
    /Fair/,
    /by hand/,
  ],
  [
    "a calendar that is not there",
    ["calendar", "add", "--ics", join(dir, "no"), "--state", state],
    66,
    /ENOENT/,
    /no$/,
    /path/,
  ],
  ["an entry that is none", ["calendar", "remove", "9", "--state", state], 64, /no entry 9/, /state/, /list/],
  ["no verb of the calendar", ["calendar"], 64, /no verb/, /command line/, /calendar list/],
];

suite("a mistake about feedback or the calendar", () => {
  for (const fault of CASES) test(`is told: ${fault[0]}`, () => assertFault(fault));
});
