// The internet of the lab: organisations with their mail servers, and the names of all addresses. All are reserved for documentation and benchmarks.
import { createSocket } from "node:dgram";

export const SERVER = "192.0.2.10";
const NAMESERVER = "192.0.2.53";
const STEMS = ["larch", "basalt", "harbor", "quill", "saffron", "tundra"];
const ENDS = ["energy", "motors", "health", "paper"];

/** Organisations that send mail to us and receive ours; the first is the biggest. */
export const ORGS: readonly string[] = ENDS.flatMap((end) => STEMS.map((stem) => `${stem}${end}.example`));
/** The first address of an organisation's two MX, and the one it sends from. */
export const mxOf = (org: number): readonly string[] => [`203.0.113.${org + 1}`, `198.51.100.${org + 1}`];
export const senderOf = (org: number, n: number): string => `198.18.${org}.${10 + n}`;
/** Hosts of our own network. */
export const HOSTS: Readonly<Record<string, string>> = {
  "192.0.2.10": "mail.nordhav.example",
  "192.0.2.20": "app.nordhav.example",
  "192.0.2.21": "erp.nordhav.example",
  "192.0.2.30": "monitor.nordhav.example",
  "192.0.2.66": "relay-old.nordhav.example",
};
export const OWN: readonly string[] = ["nordhav.example", "havnkontor.example"];

/** A reverse name and whether it leads back to the address; people dial in from 198.19.0 to 23, above are strangers. */
function reverseName(address: string): { name: string; back: boolean } | undefined {
  const own = HOSTS[address];
  if (own !== undefined) return { name: own, back: true };
  const [a, b, c, d] = address.split(".").map(Number) as [number, number, number, number];
  if (a === 198 && b === 18) return { name: `out${d - 10}.${ORGS[c] ?? ORGS[0]}`, back: true };
  if (a === 203 || (a === 198 && b === 51))
    return { name: `mx${a === 203 ? 1 : 2}.${ORGS[d - 1] ?? ORGS[0]}`, back: true };
  if (a !== 198 || b !== 19) return undefined;
  if (c < 32)
    return {
      name: c % 2 === 0 ? `ip${c}-${d}.mobile.telnett.example` : `host-${d}-${c}.cust.fiberline.example`,
      back: true,
    };
  if (c === 40 || c === 41) return { name: `probe${d}.internet-survey.example`, back: true };
  if (c % 3 === 0) return undefined;
  const dashed = `198-19-${c}-${d}`;
  return c % 3 === 1
    ? { name: `${dashed}.static.cloudrack.example`, back: true }
    : { name: `${dashed}.dyn.broadnet.example`, back: false };
}

/** The address behind a name. */
function addressOf(name: string): string | undefined {
  for (const [address, host] of Object.entries(HOSTS)) if (host === name) return address;
  const listed = /^(\d+)\.(\d+)\.19\.198\.zen\.dnsbl\.example$/.exec(name);
  if (listed !== null)
    return Number(listed[2]) >= 32 && (Number(listed[1]) + Number(listed[2])) % 5 < 2
      ? "127.0.0.2"
      : undefined;
  const host = /^(mx1|mx2|out\d)\.(\w+\.example)$/.exec(name);
  const org = host === null ? -1 : ORGS.indexOf(host[2]!);
  if (host !== null && org >= 0)
    return host[1] === "mx1"
      ? mxOf(org)[0]
      : host[1] === "mx2"
        ? mxOf(org)[1]
        : senderOf(org, Number(host[1]!.slice(3)));
  const ip = /^ip(\d+)-(\d+)\.mobile\.telnett\.example$/.exec(name);
  if (ip !== null) return `198.19.${ip[1]}.${ip[2]}`;
  const cust = /^host-(\d+)-(\d+)\.cust\.fiberline\.example$/.exec(name);
  if (cust !== null) return `198.19.${cust[2]}.${cust[1]}`;
  const rack = /^198-19-(\d+)-(\d+)\.static\.cloudrack\.example$/.exec(name);
  if (rack !== null) return `198.19.${rack[1]}.${rack[2]}`;
  const probe = /^probe(\d+)\.internet-survey\.example$/.exec(name);
  return probe === null ? undefined : `198.19.40.${probe[1]}`;
}

const TYPES = { A: 1, PTR: 12, MX: 15, TXT: 16 } as const;
const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])),
    Buffer.from([0]),
  ]);

function answer(name: string, type: number): Buffer[] {
  if (type === TYPES.A) {
    const address = addressOf(name);
    return address === undefined ? [] : [Buffer.from(address.split(".").map(Number))];
  }
  if (type === TYPES.PTR) {
    const reversed = name
      .replace(/\.in-addr\.arpa$/, "")
      .split(".")
      .reverse()
      .join(".");
    const found = reverseName(reversed);
    return found === undefined ? [] : [encodeName(found.name)];
  }
  if (type === TYPES.MX) {
    if (OWN.includes(name))
      return [Buffer.concat([Buffer.from([0, 10]), encodeName("mail.nordhav.example")])];
    // A domain whose MX leads to us, and which we don't know: the usual way to a loop.
    if (name === "oldbrand.example")
      return [Buffer.concat([Buffer.from([0, 10]), encodeName("mail.nordhav.example")])];
    if (!ORGS.includes(name)) return [];
    return [1, 2].map((n) => Buffer.concat([Buffer.from([0, 10 * n]), encodeName(`mx${n}.${name}`)]));
  }
  if (type === TYPES.TXT && name.endsWith(".zen.dnsbl.example") && addressOf(name) !== undefined)
    return [Buffer.from("\x2fhttps://www.dnsbl.example/query/ip/of-this-host!")];
  return [];
}

/** Whether anything of a name exists, so that NODATA can be told from NXDOMAIN. */
const exists = (name: string): boolean =>
  [TYPES.A, TYPES.PTR, TYPES.MX].some((type) => answer(name, type).length > 0) ||
  /^_dmarc\.|_domainkey/.test(name);

/** Answers all questions, as if all zones were its own. */
export function startNames(): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    if (query.length < 17) return;
    const labels: string[] = [];
    let at = 12;
    for (let n = query[at] ?? 0; n > 0 && at < query.length; n = query[at] ?? 0) {
      labels.push(query.subarray(at + 1, at + 1 + n).toString("latin1"));
      at += n + 1;
    }
    const name = labels.join(".").toLowerCase();
    const question = query.subarray(12, at + 5);
    const type = query.readUInt16BE(at + 1);
    const answers = answer(name, type);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(answers.length > 0 || exists(name) ? 0x8580 : 0x8583, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    const records = answers.map((data) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(60, 6);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, question, ...records]), from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(53, NAMESERVER, resolve));
}
