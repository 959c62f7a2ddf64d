import { agglomerate, generalisations } from "./agglomerate.ts";
import { type Template, templateId } from "./mask.ts";

/** Generalisations kept for each shape that training joined, so that a relative which comes later finds its group. */
export type TemplateGroups = readonly (readonly [writer: string, form: string, group: string])[];

/** A shape of a writer's messages, and the template that both make: `writer: shape`. */
export const templateOf = (writer: string, shape: string): Template => {
  const text = `${writer}: ${shape}`;
  return { id: templateId(text), text };
};

/**
 * Finds the groups among the shapes of a log, each writer (daemon) for itself: shapes that are equal but for one word.
 * Plain data, in an order that follows from the set of shapes alone. The bound is agglomerate's.
 */
export function learnGroups(shapes: Iterable<{ writer: string; shape: string }>): TemplateGroups {
  const byWriter = new Map<string, string[]>();
  for (const { writer, shape } of shapes) {
    const known = byWriter.get(writer);
    if (known === undefined) byWriter.set(writer, [shape]);
    else known.push(shape);
  }
  const groups: [string, string, string][] = [];
  for (const [writer, own] of byWriter)
    for (const [form, group] of agglomerate(own)) groups.push([writer, form, group]);
  return groups.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Looks up the groups that training found: the alias table of a model. */
export class GroupTable {
  private readonly forms = new Map<string, string>();

  constructor(groups: TemplateGroups) {
    for (const [writer, form, group] of groups) {
      this.forms.set(`${writer}: ${form}`, group);
      this.forms.set(`${writer}: ${group}`, group);
    }
  }

  /**
   * The template of a shape: its group's where it has one, or where putting a parameter for one of its words makes it a
   * form of one; else its own. Costs up to 48 generalisations, so ask once a shape.
   */
  templateOf(writer: string, shape: string): Template {
    return templateOf(writer, this.groupOf(writer, shape) ?? shape);
  }

  private groupOf(writer: string, shape: string): string | undefined {
    if (this.forms.size === 0) return undefined;
    const known = this.forms.get(`${writer}: ${shape}`);
    if (known !== undefined) return known;
    for (const form of generalisations(shape)) {
      const group = this.forms.get(`${writer}: ${form}`);
      if (group !== undefined) return group;
    }
    return undefined;
  }
}
