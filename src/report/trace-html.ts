import type { Story } from "../mail/story.ts";
import { cut, htmlSafe } from "./escape.ts";
import { clockTime, countText, localDay, localTime, numberText } from "./format.ts";
import { STYLE } from "./style.ts";
import { recipientText, resultsOf, rootOf, sentenceOf, type Trace } from "./trace.ts";
import { tellLine } from "./trace-line.ts";

/** Recipients, and lines of a thread, that a page shows. */
const RECIPIENTS = 200;
const ROWS = 2000;
/** Characters of a raw line that are shown. */
const LINE_WIDTH = 2000;

export type TracePage = {
  readonly needle: string;
  readonly traces: readonly Trace[];
  /** Messages that match and are not on the page. */
  readonly more: number;
  /** IANA zone in which times are shown. */
  readonly timeZone: string;
};

/** One page that needs nothing else: no remote content, no script, the same bytes for the same data. */
export function traceHtml(page: TracePage): string {
  const title = `Trace of ${page.needle}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${htmlSafe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="note">${htmlSafe(title)}</p>
<h1>${htmlSafe(countText(page.traces.length, "message"))}${page.more > 0 ? `, ${htmlSafe(numberText(page.more))} older ones not shown` : ""}</h1>
<p class="note">Times of ${htmlSafe(page.timeZone)}</p>
</header>
${page.traces.map((trace) => article(trace, page.timeZone)).join("\n")}
</main>
</body>
</html>
`;
}

function article(trace: Trace, timeZone: string): string {
  const root = rootOf(trace.stories);
  const sentence = sentenceOf(trace.stories, (ms) => localTime(ms, timeZone));
  return `<article class="${severityOf(trace)}">
<h2><span class="badge">${htmlSafe(root.queueId)}</span> ${htmlSafe(sentence)}</h2>
<dl>
${trace.stories.map((s) => storyTerms(s, timeZone)).join("\n")}
${recipients(trace)}
</dl>
<details open><summary>What happened</summary><ol class="lines">
${timeline(trace, timeZone)}
</ol></details>
<details><summary>The log's own lines</summary><ol class="lines">
${raw(trace)}
</ol></details>
</article>`;
}

/** The accent of the card: red for what failed, amber for what waits. */
function severityOf(trace: Trace): string {
  const statuses = resultsOf(trace.stories).map((r) => r.status);
  if (statuses.some((s) => s === "bounced" || s === "expired")) return "high";
  return statuses.includes("deferred") || trace.stories.some((s) => !s.finished) ? "medium" : "low";
}

/** One row. text is escaped here. */
const term = (name: string, text: string): string =>
  `<div><dt>${htmlSafe(name)}</dt><dd>${htmlSafe(text)}</dd></div>`;

function storyTerms(s: Story, timeZone: string): string {
  const client = `${s.clientName ?? ""}${s.clientAddress === undefined ? "" : `[${s.clientAddress}]`}`;
  const user = s.saslUsername === undefined ? "" : `, logged in as ${s.saslUsername}`;
  const link = s.links.find((l) => l.child === s.queueId);
  const as = link === undefined ? "" : `, ${link.kind} of ${link.parent}`;
  const state = s.finished ? (s.fate ?? "finished") : `unfinished (${s.why ?? "log ends"})`;
  return [
    term("Message", `${s.queueId}${as}, ${localTime(s.start, timeZone)}: ${state}`),
    s.messageId === undefined ? "" : term("Message-ID", `<${s.messageId}>`),
    client === "" ? "" : term("Client", client + user),
    s.size === undefined ? "" : term("Size", `${numberText(s.size)} bytes`),
  ].join("");
}

function recipients(trace: Trace): string {
  const results = resultsOf(trace.stories);
  const rows = results
    .slice(0, RECIPIENTS)
    .map(({ recipient, story }) => term(recipient.to, recipientText(recipient, story)));
  if (results.length > RECIPIENTS) rows.push(term("", `and ${numberText(results.length - RECIPIENTS)} more`));
  return rows.join("\n");
}

function timeline(trace: Trace, timeZone: string): string {
  return trace.lines
    .slice(0, ROWS)
    .filter((l) => l.event !== undefined)
    .map(({ ref, event, queueId }) => {
      const time = `${localDay(ref.time, timeZone)} ${clockTime(ref.time, timeZone)}`;
      return `<li><span class="place">${htmlSafe(`${time} ${event!.daemon} ${queueId}`)}</span> ${htmlSafe(tellLine(event!))}</li>`;
    })
    .join("\n");
}

function raw(trace: Trace): string {
  const rows = trace.lines.slice(0, ROWS).map(({ ref }) => {
    const text = ref.text === undefined ? "(no longer there)" : cut(ref.text, LINE_WIDTH);
    return `<li><span class="place">${htmlSafe(`${ref.file}:${ref.line}`)}</span> ${htmlSafe(text)}</li>`;
  });
  const more = trace.lines.length - ROWS + trace.linesOmitted;
  if (more > 0 && trace.lines.length > ROWS)
    rows.push(`<li>and ${htmlSafe(countText(more, "line"))} more</li>`);
  return rows.join("\n");
}
