import { ENTITY_FEATURES, type Observation } from "../feature/entity.ts";
import type { MailEvent } from "../mail/event.ts";
import type { CitedLine } from "./alert.ts";

/** Lines kept of each column and entity; an alert cites no more. */
const KEEP = 5;
/** Rings kept; the least recently written leave. */
const MAX_RINGS = 20_000;

export type SeenLine = CitedLine & {
  readonly time: number;
  readonly template: string;
  readonly templateId: string;
};

/** The newest lines behind each column and entity, for citing. */
export class LineRings {
  readonly #rings = new Map<string, SeenLine[]>();

  column(modelColumn: number, event: MailEvent, time: number): void {
    this.#add(`c${modelColumn}`, event, time);
  }

  entity(observation: Observation, event: MailEvent, time: number): void {
    this.#add(`e${ENTITY_FEATURES[observation.feature]!.name} ${observation.key}`, event, time);
  }

  shape(event: MailEvent, time: number): void {
    this.#add(`t${event.templateId}`, event, time);
  }

  ofColumn(modelColumn: number, since: number): SeenLine[] {
    return this.#of(`c${modelColumn}`, since);
  }
  ofEntity(feature: number, key: string, since: number): SeenLine[] {
    return this.#of(`e${ENTITY_FEATURES[feature]!.name} ${key}`, since);
  }
  ofShape(templateId: string, since: number): SeenLine[] {
    return this.#of(`t${templateId}`, since);
  }

  #of(key: string, since: number): SeenLine[] {
    return (this.#rings.get(key) ?? []).filter((l) => l.time >= since).reverse();
  }

  #add(key: string, event: MailEvent, time: number): void {
    let ring = this.#rings.get(key);
    if (ring) this.#rings.delete(key);
    else ring = [];
    this.#rings.set(key, ring);
    if (this.#rings.size > MAX_RINGS) this.#rings.delete(this.#rings.keys().next().value!);
    if (ring.length >= KEEP) ring.shift();
    const { file, line, text, template, templateId } = event;
    ring.push({ file, line, text, time, template, templateId });
  }
}
