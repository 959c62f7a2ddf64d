import type { Stream } from "./stream.ts";
import { stream } from "./stream.ts";

/** Networks of the recordings. All are reserved for documentation and benchmarks (RFC 5737, RFC 2544). */
const OWN = "192.0.2";
const CLIENTS = "198.19";
/** 198.19.0 to 23: where the recorded people dial in from; above: strangers. */
const FIRST_STRANGER = 32;
/** Scanners of the recordings are few and come again and again. */
const SCANNERS = new Set([40, 41]);
/** Share of people's addresses that are drawn anew within their network at each visit. */
const NEW_ADDRESS = 0.3;
const KNOWN = /^(?:192\.0\.2|203\.0\.113|198\.51\.100|198\.18\.\d+|198\.19\.\d+)\.\d+$/;

/** How an address of the recordings is replaced. */
export type AddressRole = "fixed" | "home" | "stranger";

/** Other addresses for those of the recordings. The new ones are out of 100.64.0.0/10 (RFC 6598) and 10.0.0.0/8 (RFC 1918). */
export class AddressBook {
  private readonly renames: boolean;
  private readonly own: string;
  private readonly blocks: readonly string[];
  private readonly networks: readonly string[];

  /** networks: of a real server's people, by their first three octets. */
  constructor(seed: number, domain: string | undefined, networks: readonly string[] = []) {
    this.renames = domain !== undefined;
    this.networks = networks;
    const random = stream(seed, "addresses", domain ?? "");
    this.own = `10.${1 + random.int(250)}.${random.int(250)}`;
    const octets = Int32Array.from({ length: 64 }, (_, i) => 64 + i);
    random.shuffle(octets);
    this.blocks = Array.from(octets.subarray(0, 4), (octet) => `100.${octet}`);
  }

  /** What the address of the recordings is; undefined for one that stays, such as 127.0.0.1. */
  roleOf(address: string): AddressRole | undefined {
    if (!KNOWN.test(address)) return undefined;
    if (!address.startsWith(`${CLIENTS}.`)) return "fixed";
    const third = Number(address.split(".")[2]);
    if (SCANNERS.has(third)) return "fixed";
    return third < FIRST_STRANGER ? "home" : "stranger";
  }

  /** The address that always stands for this one. */
  fixed(address: string): string {
    if (!this.renames) return address;
    const [a, b, c, d] = address.split(".") as [string, string, string, string];
    if (`${a}.${b}.${c}` === OWN) return `${this.own}.${d}`;
    if (`${a}.${b}` === CLIENTS) return `${this.blocks[0]}.${c}.${d}`;
    if (`${a}.${b}` === "198.18") return `${this.blocks[1]}.${c}.${d}`;
    return `${a === "203" ? this.blocks[2] : this.blocks[3]}.${c}.${d}`;
  }

  /** An address in the same network, the recorded one's stand-in most of the time. */
  home(address: string, random: Stream): string {
    const fixed = this.known(address);
    if (random.uniform() >= NEW_ADDRESS) return fixed;
    return `${fixed.slice(0, fixed.lastIndexOf("."))}.${1 + random.int(254)}`;
  }

  /** The address of one of the people; in a real server's network where some are known. */
  private known(address: string): string {
    if (!this.renames || this.networks.length === 0) return this.fixed(address);
    const [, , third, last] = address.split(".");
    return `${this.networks[Number(third) % this.networks.length]}.${last}`;
  }

  /** Any stranger's address. */
  stranger(random: Stream): string {
    const block = this.renames ? this.blocks[0] : CLIENTS;
    return `${block}.${64 + random.int(192)}.${1 + random.int(254)}`;
  }
}
