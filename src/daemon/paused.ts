import { Fault } from "../fault.ts";

const BY_ITSELF = "; watching goes on by itself";
/** It could be used until now. */
const UNUSABLE = `see why it can't be written any more (mount, dmesg), and make it writable${BY_ITSELF}`;

/** What keeps a running daemon from using its state, which it tries again. effect: what waits until then. */
export function pausedFault({ exit, message, where, remedy }: Fault, effect: string): Fault {
  const mend = /^cannot use the state folder/.test(message)
    ? UNUSABLE
    : remedy.replace(/, then run the command again$/, BY_ITSELF);
  return new Fault(exit, message, where, effect, mend);
}
