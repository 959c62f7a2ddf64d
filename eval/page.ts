/** Sections of a page that several evaluations write, each its own, between comments that name it. */
const begin = (name: string): string => `<!-- ${name}: begin -->`;
const end = (name: string): string => `<!-- ${name}: end -->`;

/** The section as it stands in the page, with its comments; empty when there is none. */
export function sectionOf(page: string, name: string): string {
  const from = page.indexOf(begin(name));
  const to = page.indexOf(end(name));
  return from < 0 || to < from ? "" : page.slice(from, to + end(name).length);
}

/** The page with this text as that section: in the old one's place, else at the end. */
export function withSection(page: string, name: string, text: string): string {
  const section = `${begin(name)}\n${text}\n${end(name)}`;
  const old = sectionOf(page, name);
  return old === "" ? `${page.trimEnd()}\n\n${section}\n` : page.replace(old, () => section);
}

/** Log text as code in Markdown, without what would end it. */
export const asCode = (text: string): string => `\`${text.replace(/[`|\p{Cc}]/gu, " ").slice(0, 160)}\``;
