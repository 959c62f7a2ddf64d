import { createHash } from "node:crypto";
import type { Asked, Links } from "../deliver/links.ts";
import { sayingOn, sayingText } from "../deliver/saying.ts";
import { Fault } from "../fault.ts";
import { cut, htmlSafe } from "../report/escape.ts";
import { localTime } from "../report/format.ts";
import { alertFromRecord } from "../report/record.ts";
import type { Store, StoredAlert } from "../store/queries.ts";

/**
 * The pages behind the links of mails. Programs that look through mail follow every link, so looking at one changes nothing: only its
 * button does, once.
 */

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1rem}";
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
} as const;
const TITLE = 300;

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type PagesOptions = {
  readonly store: Store;
  readonly links: Links;
  readonly timeZone: string;
  /** The system's time in ms. */
  readonly now: () => number;
  /** Told of what was said by a link. */
  readonly say: (text: string) => void;
};

/** Answers a request for a path below /feedback/; undefined for any other path. */
export function feedbackPage(method: string, path: string, options: PagesOptions): Answer | undefined {
  if (!path.includes("/feedback/")) return undefined;
  const asked = options.links.read(path);
  if (asked === undefined)
    return page(404, "There is nothing here", "This is no link of ours, or it was cut on the way.");
  if (method !== "GET" && method !== "HEAD" && method !== "POST") {
    const refused = page(405, "Not this way", "Open the link in a browser.");
    return { ...refused, headers: { ...refused.headers, allow: "GET, HEAD, POST" } };
  }
  try {
    return answer(method === "POST", asked, options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return page(503, "That could not be done", `${error.message}: ${error.remedy}.`);
  }
}

function answer(acts: boolean, asked: Asked, options: PagesOptions): Answer {
  const { store, now } = options;
  if (now() >= asked.expires) return page(410, "This link is too old", explainText(asked.alert));
  if (store.rules.isSpent(asked.token))
    return page(410, "This link was used already", explainText(asked.alert));
  const alert = store.getAlert(asked.alert);
  if (alert?.id !== asked.alert)
    return page(410, "This alert is kept no longer", "There is nothing left to say of it.");
  return acts ? act(alert, asked, options) : question(alert, asked, options);
}

const explainText = (id: string): string => `On the server, this tells more: logvane explain ${id}`;

const QUESTIONS = {
  benign: ["Is this harmless?", "Yes, it is harmless"],
  incident: ["Is this a real incident?", "Yes, it is real"],
  snooze: ["Leave this alone for a day?", "Yes, for a day"],
} as const;

function question(alert: StoredAlert, { verdict }: Asked, { timeZone }: PagesOptions): Answer {
  const { title, openedAt, kind } = alertFromRecord(alert);
  const [asks, yes] = QUESTIONS[verdict];
  const form = `<form method="post"><button type="submit">${yes}</button></form>\n`;
  return page(200, asks, cut(title, TITLE), `Opened ${localTime(openedAt, timeZone)}, kind ${kind}.`, form);
}

function act(alert: StoredAlert, { verdict, token, expires }: Asked, options: PagesOptions): Answer {
  const { store, now, timeZone, say } = options;
  const saying = sayingOn(store, alert, { verdict, scope: "this", note: "by a link of a mail" });
  const number = store.rules.say(saying, now(), { token, expires });
  if (number === undefined) return page(410, "This link was used already", explainText(alert.id));
  say(`feedback ${number} on alert ${alert.id} by a link of a mail: ${verdict}\n`);
  const until = saying.until === undefined ? "" : localTime(saying.until, timeZone);
  return page(
    200,
    "Thank you, that is noted",
    sayingText(saying, until),
    `On the server, logvane feedback revoke ${number} takes it back.`,
  );
}

/** text, more: as they come. form: ours. */
function page(status: number, title: string, text: string, more = "", form = ""): Answer {
  const paragraphs = [text, more].filter((part) => part !== "").map((part) => `<p>${htmlSafe(part)}</p>\n`);
  return {
    status,
    headers: HEADERS,
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${htmlSafe(title)}</title><style>${STYLE}</style></head>
<body>
<h1>${htmlSafe(title)}</h1>
${paragraphs.join("")}${form}</body>
</html>
`,
  };
}
