/**
 * What is known of mail servers in general before a server's own log tells it: messages of healthy time, which are no news the first time
 * that they come. Made of our lab's own logs by `npm run prior`.
 */
export type Prior = {
  readonly version: number;
  /** Shapes of messages, by the daemons that write them. */
  readonly shapes: Readonly<Record<string, readonly string[]>>;
};
