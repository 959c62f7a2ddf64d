import type { MailEvent } from "./event.ts";

/** Words of trouble in a message that no grammar knows. */
const TROUBLE =
  /\b(?:error|fatal|panic|critical|alert|emergency|warn(?:ing)?|fail(?:s|ed|ing|ure)?|den(?:y|ied)|refused?|reject(?:s|ed|ing)?|unable|cannot|can't|could ?n[o']t|not found|missing|invalid|corrupt(?:ed)?|damaged|unavailable|unreachable|time(?:d )?out|g(?:i|a)v(?:e|ing) up|lost|broken|dead|died|killed|crash(?:ed)?|abort(?:s|ed|ing)?|exception|traceback|overload(?:ed)?|exceed(?:s|ed)?|full|no space)\b/i;

/** Whether a message that no grammar knows sounds like trouble. Its plan alone decides. */
export const soundsBad = ({ event, template }: MailEvent): boolean =>
  event === "unknown" && TROUBLE.test(template);
