import { pause } from "./wire.ts";

/** An address is free for another episode so many ms after one: lines that name it come late. */
const REST_MS = 1200;

/** What was done, by whom and when: to whom lines belong is found by it. */
export type Deed = {
  readonly class: string;
  readonly state: string;
  readonly client: string | null;
  readonly user: string | null;
  readonly org: string | null;
  /** In ms since 1970. */
  readonly from: number;
  to: number;
  readonly mids: string[];
};

/** Keeps account of the episodes. */
export class Ledger {
  readonly deeds: Deed[] = [];
  state = "normal";
  private readonly busy = new Set<string>();
  private count = 0;

  /** Runs one episode, alone on its client's address. A client that the server turns away is no failure. */
  async run(
    kind: string,
    who: { client: string | null; user?: string; org?: string },
    act: (id: (host: string) => string) => Promise<unknown>,
  ): Promise<void> {
    const { client } = who;
    while (client !== null && this.busy.has(client)) await pause(50);
    if (client !== null) this.busy.add(client);
    const deed: Deed = {
      class: kind,
      state: this.state,
      client,
      user: who.user ?? null,
      org: who.org ?? null,
      from: Date.now(),
      to: Number.POSITIVE_INFINITY,
      mids: [],
    };
    this.deeds.push(deed);
    try {
      await act((host) => {
        const id = `${Date.now().toString(36)}.${(++this.count).toString(36)}${Math.random().toString(36).slice(2, 10)}@${host}`;
        deed.mids.push(id);
        return id;
      });
    } catch {
      // Refused, or cut off: what the server says of it is recorded all the same.
    }
    setTimeout(() => {
      deed.to = Date.now();
      if (client !== null) this.busy.delete(client);
    }, REST_MS);
  }
}
