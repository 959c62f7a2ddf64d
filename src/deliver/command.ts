import type { CommandChannel } from "../config/config.ts";
import { programOutcome, runProgram } from "./program.ts";
import { deliveryRecord } from "./record.ts";
import type { Sender, SenderContext } from "./sender.ts";

/** Runs the operator's program for each notification, with its record on standard input. */
export function commandSender(channel: CommandChannel, context: SenderContext): Sender {
  return {
    async send(delivery, signal) {
      const { command, timeoutS, name } = channel;
      const input = `${JSON.stringify(deliveryRecord(delivery, context))}\n`;
      const ended = await runProgram(command, input, timeoutS * 1000, signal, `channel "${name}", command`);
      return programOutcome(command[0], ended);
    },
    close() {},
  };
}
