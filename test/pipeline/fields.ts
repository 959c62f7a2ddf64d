import { Session } from "node:inspector";

/** Looks into objects of classes, whose private fields no other code sees. */

type Handed = { values: unknown[] };
const HANDED = "__logvaneFields";

/** All fields of an object, own and private (`#name`), with the values themselves. */
export class FieldReader {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  close(): void {
    this.#session.disconnect();
  }

  of(object: object): Map<string, unknown> {
    const fields = new Map<string, unknown>(Object.entries(object));
    const id = this.#idOf(object);
    const { privateProperties = [] } = this.#post<{
      privateProperties?: { name: string; value?: { objectId?: string; value?: unknown; type: string } }[];
    }>("Runtime.getProperties", { objectId: id, ownProperties: true });
    for (const { name, value } of privateProperties) {
      if (value === undefined) continue; // an accessor
      fields.set(name, value.objectId === undefined ? plain(value) : this.#valueOf(value.objectId));
    }
    return fields;
  }

  #idOf(object: object): string {
    (globalThis as Record<string, unknown>)[HANDED] = object;
    const { result } = this.#post<{ result: { objectId: string } }>("Runtime.evaluate", {
      expression: `globalThis.${HANDED}`,
    });
    return result.objectId;
  }

  #valueOf(objectId: string): unknown {
    const handed: Handed = { values: [] };
    (globalThis as Record<string, unknown>)[HANDED] = handed;
    this.#post("Runtime.callFunctionOn", {
      objectId,
      functionDeclaration: `function () { globalThis.${HANDED}.values.push(this); }`,
    });
    return handed.values[0];
  }

  #post<T>(method: string, params: object): T {
    let out: { error: Error | null; result: unknown } | undefined;
    this.#session.post(method, params, (error, result) => {
      out = { error, result };
    });
    if (out === undefined) throw new Error(`${method} was not answered at once`);
    if (out.error) throw out.error;
    return out.result as T;
  }
}

/** A primitive as the inspector tells it: what JSON lacks stands in a text. */
function plain(value: { value?: unknown; type: string; unserializableValue?: string }): unknown {
  if (value.unserializableValue !== undefined) return Number(value.unserializableValue);
  return value.value;
}
