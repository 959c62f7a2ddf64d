// How much of a log the message tracker accounts for: node dist/eval/transactions.js FILE... [--show]

import { eachEvent } from "../src/cli/events.ts";
import { openMail } from "../src/cli/input.ts";
import { MessageTracker } from "../src/mail/message.ts";
import type { Session, Story, Thread } from "../src/mail/story.ts";
import { isFinal, statusOf } from "../src/mail/story-facts.ts";

/** Mismatches that --show prints. */
const SHOWN = 20;

const files = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const show = process.argv.includes("--show");

const n = new Map<string, number>();
const count = (name: string, by = 1): void => void n.set(name, (n.get(name) ?? 0) + by);
const odd: string[] = [];

function ofStory(s: Story): void {
  count("messages");
  count(s.finished ? `  finished: ${s.fate}` : `  unfinished: ${s.why}`);
  if (!s.startSeen) count("  of these, start not in the log");
  for (const link of s.links)
    if (link.parent === s.queueId)
      count(`links to children: ${link.kind}${link.known ? "" : " (not found)"}`);
  if (s.fate !== "removed" || s.nrcpt === undefined) return;
  count(s.startSeen ? "removed, whole in the log" : "removed, start not in the log");
  const last = [...s.recipients.values()].filter((r) => isFinal(statusOf(r))).length + s.recipientsOmitted;
  if (last === s.nrcpt)
    count(s.startSeen ? "  every recipient accounted for" : "  (start not seen) every recipient");
  else {
    count(
      s.startSeen
        ? `  recipients ${last > s.nrcpt ? "more" : "fewer"} than nrcpt`
        : "  (start not seen) not every recipient",
    );
    if (s.startSeen && odd.length < SHOWN)
      odd.push(`${s.queueId} nrcpt ${s.nrcpt}, final ${last}, at ${s.lines.map((l) => l.line).join(" ")}`);
  }
}

const tracker = new MessageTracker({
  onThread: (thread: Thread) => {
    count("threads");
    if (thread.stories.length > 1) count("  of several messages");
    for (const story of thread.stories) ofStory(story);
  },
  onSession: (s: Session) => {
    count(`sessions ${s.kind}`);
    count(`  sessions ${s.kind} ${s.finished ? "finished" : `unfinished: ${s.why}`}`);
    if (s.before !== undefined) count("  smtpd connections handed over by postscreen");
  },
});

const mail = await openMail(files, {});
let lines = 0;
let withId = 0;
let peak = 0;
const begin = process.cpuUsage();
await eachEvent(mail, (event) => {
  lines++;
  if (event.queueId !== undefined) withId++;
  tracker.add(event);
  if (tracker.size > peak) peak = tracker.size;
});
tracker.end();
const cpu = process.cpuUsage(begin);
console.log(
  `lines ${lines}, with a queue id ${withId}, joined to messages ${tracker.counts.lines + tracker.linesSaved}`,
);
console.log(
  `messages held at once, at most: ${peak}; CPU ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s with parsing`,
);
for (const [name, value] of n) console.log(`${String(value).padStart(9)}  ${name}`);
console.log(JSON.stringify(tracker.counts), JSON.stringify(tracker.sessions.counts));
if (show) for (const text of odd) console.log(text);
