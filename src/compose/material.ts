/** A line of an episode: seconds since its start, tag, pid (0: none logged), text, queue id. */
export type RecordedLine = readonly [number, string, number, string, string | null];

/** One recorded transaction, or a cluster of lines of the system itself (class "sys"). */
export type Episode = {
  readonly class: string;
  /** "normal", or the fault under which it was recorded. */
  readonly state: string;
  readonly client: string | undefined;
  readonly user: string | undefined;
  readonly org: string | undefined;
  /** For "sys": at the beginning ("on"), in the midst ("mid") or at the recovery ("rec") of its state. */
  readonly part: string | undefined;
  readonly lines: readonly RecordedLine[];
};

/** Longer files of episodes are refused. */
const MAX_EPISODES = 200_000;
const QUOTA = /Quota exceeded/;
/** Classes whose mail is for the server's own mailboxes; in others the full one only got a bounce. */
const DELIVERED = /^(?:in_|out_local$|app_mail$)/;
/** Lines that tell of a failure. */
const COMPLAINT = /status=(?:deferred|bounced)|\breject: |\b(?:[Ww]arning|[Ee]rror|fatal): /;
/** What differs between two lines of one shape; coarse, for telling what normal recordings never said. */
const VARIABLE = /<[^>]*>|\[[^\]]*\]|\S*[@\d]\S*|[\w-]+(?:\.[\w-]+)+|"[^"]*"/g;

/** A shape: the tag and the text without what varies. */
export const shapeOf = (tag: string, text: string): string => `${tag} ${text.replace(VARIABLE, "*")}`;

/** The recorded episodes by state and class. */
export class Material {
  private readonly pools = new Map<string, Episode[]>();
  private readonly normalShapes = new Set<string>();
  /** Deliveries to a mailbox that was full; kept out of normal traffic. */
  readonly overQuota: Episode[] = [];

  constructor(episodes: Iterable<Episode>) {
    let count = 0;
    for (const episode of episodes) {
      if (++count > MAX_EPISODES) throw new RangeError(`more than ${MAX_EPISODES} episodes`);
      if (episode.state !== "over_quota" && QUOTA.test(episode.lines.map((l) => l[3]).join("\n"))) {
        if (episode.state === "normal" && DELIVERED.test(episode.class)) this.overQuota.push(episode);
        continue;
      }
      const key = `${episode.state}/${episode.class}`;
      const pool = this.pools.get(key);
      if (pool === undefined) this.pools.set(key, [episode]);
      else pool.push(episode);
      if (episode.state === "normal")
        for (const [, tag, , text] of episode.lines) {
          this.normalShapes.add(shapeOf(tag, text));
          this.normalShapes.add(`${episode.class} ${shapeOf(tag, text)}`);
        }
    }
  }

  /** The episodes of a class under a state; empty when nothing was recorded. */
  pool(state: string, kind: string): readonly Episode[] {
    return this.pools.get(`${state}/${kind}`) ?? [];
  }

  /** Whether anything was recorded under a state. */
  has(state: string): boolean {
    for (const key of this.pools.keys()) if (key.startsWith(`${state}/`)) return true;
    return false;
  }

  /** What attackers did while a state was recorded: its episodes beside the system's own lines. */
  attacks(state: string): readonly Episode[] {
    const found: Episode[] = [];
    for (const [key, pool] of this.pools)
      if (key.startsWith(`${state}/`) && !key.endsWith("/sys")) found.push(...pool);
    return found;
  }

  /** The recorded people, as user@domain, sorted. */
  people(): string[] {
    const users = new Set<string>();
    for (const pool of this.pools.values())
      for (const { user } of pool) if (user !== undefined) users.add(user);
    return [...users].sort();
  }

  /** Whether some line of the episode has a shape that no normal recording has, or complains in one that none of its class has. */
  isStrange(episode: Episode): boolean {
    return episode.lines.some(([, tag, , text]) => {
      const shape = shapeOf(tag, text);
      if (!this.normalShapes.has(shape)) return true;
      return COMPLAINT.test(text) && !this.normalShapes.has(`${episode.class} ${shape}`);
    });
  }
}

/** Reads episodes, one JSON object a line. Throws SyntaxError, or RangeError with the line's number. */
export function* readEpisodes(text: string): Generator<Episode> {
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const lf = text.indexOf("\n", at);
    const end = lf < 0 ? text.length : lf;
    const line = text.slice(at, end);
    at = end + 1;
    number++;
    if (line.trim() === "") continue;
    const value = JSON.parse(line) as Record<string, unknown>;
    const word = (name: string): string | undefined =>
      typeof value[name] === "string" ? (value[name] as string) : undefined;
    const kind = word("class");
    const state = word("state");
    const lines = value["lines"];
    if (kind === undefined || state === undefined || !Array.isArray(lines) || lines.length === 0)
      throw new RangeError(`episode ${number} lacks class, state or lines`);
    yield {
      class: kind,
      state,
      client: word("client"),
      user: word("user"),
      org: word("org"),
      part: word("part"),
      lines: lines as RecordedLine[],
    };
  }
}
