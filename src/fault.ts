/** Exit codes of every verb, after sysexits.h. 1 is for anomalies found with --exit-code. */
export const EXIT = {
  usage: 64,
  badData: 65,
  noInput: 66,
  unavailable: 69,
  io: 74,
  temporary: 75,
  configuration: 78,
} as const;

/** Exit code of --exit-code when something was found. */
export const FOUND = 1;

export type ExitName = keyof typeof EXIT;

/** What an operator can mend, in four parts, each written for someone woken at night. */
export class Fault extends Error {
  readonly exit: ExitName;
  readonly where: string;
  readonly effect: string;
  readonly remedy: string;

  /** what: the trouble and its errno name. where: the file, line or flag. effect: what does not work now. remedy: what to do. */
  constructor(exit: ExitName, what: string, where: string, effect: string, remedy: string) {
    super(what);
    this.name = "Fault";
    this.exit = exit;
    this.where = where;
    this.effect = effect;
    this.remedy = remedy;
  }

  /** The four lines as printed on standard error. The caller escapes them for the terminal. */
  format(): string {
    return `error   ${this.message}\nwhere   ${this.where}\neffect  ${this.effect}\ndo      ${this.remedy}\n`;
  }
}
