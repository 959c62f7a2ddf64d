import type { Section } from "../../bench/table.ts";
import { DEV, QUICKSTART } from "./corpus.ts";

export const HEAD: string = `# Accuracy

Written by \`npm run eval\`; \`npm run eval -- ours\`, \`baselines\`, \`ablation\`, \`calibration\` or \`real\` writes one part anew. Six parts take five to thirty minutes
each and run only when named: \`servers\` (composed servers with the baselines, slow things, transactions), of these \`composed\` (without the baselines) and \`transactions\` alone, \`drawn\`, \`surges\` and \`contaminated\`.
A row of ours is

    node bin/logvane.js backtest LOG --train-until ISO --timezone UTC --year 2026 --seed N --format ndjson

scored with \`eval/score-alerts.mjs\` and \`eval/kinds.json\`. Alert budget: the default, 2 a day.

- *quickstart*: \`samples/quickstart.log.gz\`, learned until ${QUICKSTART.trainUntil}, then two weeks are watched.
- *dev*: a busier site of the same lab, no part of the clone (\`LOGVANE_DATA\` names its folder), learned until ${DEV.trainUntil}.

An incident counts as *evidenced* when an alert was opened within it, or at most 30 minutes after, and cites a line that the fault
emitted; an incident without lines (a silence) counts when it is hit. A *false alarm* was opened outside every incident; *without
evidence* are alerts within an incident that cite none of its lines. Minutes run from the start of an incident to its first
evidencing alert. *Kinds right* counts evidenced incidents only. CPU time and peak resident size are those of the \`logvane\`
process, start-up included.`;

export const LIMITS: Section = {
  title: "What these figures flatter",
  text: `Both logs come from one lab: real Postfix and Dovecot, but composed from recordings. Each common normal episode occurs many times
over, so almost nothing new happens in normal time. A view that reports shapes never seen has it easy here; a real server brings
new harmless shapes every week. The ablation tells how much hangs on it. Faults switch on and off at once, delays have
light tails, and users are independent of each other. For many faults the labels were themselves made from shapes that the
normal recordings lack, which favours novelty again. The views were tuned on these two logs, so the figures are those of a fit, not a
forecast: no log was held out while the constants were chosen. The baselines were not tuned at all, which flatters ours beside
them. Five and fifteen incidents are few; one more or less
moves the share by 20 and 7 points. No figure here says how many false alarms your server will see.`,
};
