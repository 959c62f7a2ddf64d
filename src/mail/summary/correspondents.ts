import { foldAddress } from "./legacy.ts";
import { Table, type View } from "./table.ts";

const MAX_ADDRESSES = 20_000;
const MAX_HOSTS = 20_000;

/** Addresses and their domains, counted together: each address knows its domain's row, so that a line costs one look-up. */
export class Correspondents {
  readonly addresses: Table;
  readonly hosts: Table;
  /** For each address the row of its domain plus one, 0 when that is not known yet. */
  private readonly hostRows = new Int32Array(MAX_ADDRESSES);
  /** Of the last `at`. The texts may be parts of a line. */
  address = "";
  host = "";
  private addressRow = -1;
  hostRow = -1;

  /** The names of the two tables. wide: deferrals and delays of hosts are kept too. */
  constructor(addresses: string, hosts: string, wide: boolean) {
    this.addresses = new Table(addresses, MAX_ADDRESSES);
    this.hosts = new Table(hosts, MAX_HOSTS, wide);
  }

  /**
   * Goes to an address as logged; its domain counts in lower case. instead: the host of an address that has no domain.
   * counted: whether the address will be counted, and not its host alone.
   */
  at(address: string, instead: string, counted = true): void {
    // A folded address is its own fold: what is found as it stands needs none.
    const known = this.addresses.rows.get(address);
    this.address = known === undefined ? foldAddress(address) : address;
    this.addressRow = known ?? (counted ? this.addresses.row(this.address) : -1);
    const sign = address.indexOf("@");
    const ofItself = sign >= 0 && sign + 1 < address.length;
    const kept = ofItself && this.addressRow >= 0 ? this.hostRows[this.addressRow]! : 0;
    if (kept > 0) {
      this.host = "";
      this.hostRow = kept - 1;
      return;
    }
    this.host = ofItself ? this.address.slice(sign + 1) : instead;
    this.hostRow = this.hosts.row(this.host);
    if (ofItself && this.addressRow >= 0) this.hostRows[this.addressRow] = this.hostRow + 1;
  }

  /** Counts a message of the address and host at hand. */
  count(view: View, bytes: number): void {
    this.addresses.add(view, this.addressRow, this.address, bytes);
    this.hosts.add(view, this.hostRow, this.host, bytes);
  }

  /** Call it when the two tables were cleared. */
  forgetRows(): void {
    this.hostRows.fill(0);
  }
}
