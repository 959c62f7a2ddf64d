import type { Family } from "./family.ts";

/** Something a person, network or domain did that is worth counting. */
export type EntityFeature = {
  readonly name: string;
  /** What the entity is: "account", "network", "domain", "recipient" or the whole "site". */
  readonly type: string;
  readonly family: Family;
  /** True when it counts first meetings: the first days of training are all new and teach nothing. */
  readonly firsts: boolean;
  /** For people: "{n} {label} {entity}" must read well. */
  readonly label: string;
  /**
   * Feature whose surge over all others excuses this one, by name: where everybody sends more, as in a campaign, more of one account is
   * no news. Absent for counts of what fails: a fault that hits all is no excuse.
   */
  readonly excusedBy?: string;
  /**
   * Feature that counts, of the same entity, what went well, by name: it is not judged itself. Where most goes well, as in a mailing to many
   * of one provider's users, the share that always fails is no news.
   */
  readonly beside?: string;
  /** Whether what comes every day at its hour is missed when it stays away (detect/regular.ts): besides, or instead of being judged for too much. */
  readonly regular?: "also" | "only";
  /** Fewer than so many in a day hurt nobody, however rare they are; the view's own least when absent. */
  readonly least?: number;
};

const feature = (
  name: string,
  type: string,
  family: Family,
  label: string,
  more: Partial<EntityFeature> = {},
): EntityFeature => ({ name, type, family, firsts: false, label, ...more });
const FIRSTS = { firsts: true } as const;

export const ENTITY_FEATURES: readonly EntityFeature[] = [
  feature("login_new_network", "account", "auth", "log-ins from networks new for", FIRSTS),
  feature("login_new_network_site", "site", "auth", "log-ins from networks new for their account, at", {
    firsts: true,
    excusedBy: "login_networks",
  }),
  feature("login_networks", "account", "auth", "networks used to log in by"),
  feature("auth_failures", "account", "auth", "failed log-ins of"),
  feature("auth_failures_new_network", "account", "auth", "failed log-ins from networks new for", FIRSTS),
  feature(
    "auth_failures_new_pair_site",
    "site",
    "auth",
    "failed log-ins from networks new for their account, at",
    FIRSTS,
  ),
  feature("auth_failures_network", "network", "auth", "failed log-ins from", { least: 10 }),
  feature("recipients", "account", "outbound", "recipients addressed by", { excusedBy: "recipients" }),
  feature("messages", "account", "outbound", "messages sent by", { excusedBy: "messages", regular: "also" }),
  feature("failing_messages", "domain", "outbound", "messages that failed to reach", {
    beside: "reached_messages",
  }),
  feature("failing_messages_recipient", "recipient", "outbound", "messages that failed to reach"),
  feature("failing_messages_account", "account", "outbound", "failed deliveries of messages by"),
  feature("failing_messages_hop", "next hop", "outbound", "messages stopped at"),
  feature("rejects_network", "network", "inbound", "rejected commands from", { least: 10 }),
  feature("connects_network", "network", "inbound", "connections from", {
    excusedBy: "connects_network",
    least: 20,
  }),
  feature("messages_from", "sender domain", "inbound", "messages from", { regular: "only" }),
  feature("null_sender_recipient", "recipient", "inbound", "bounces received by"),
  // three messages to three recipients: nobody who only tries again
  feature(
    "refused_messages_site",
    "site",
    "outbound",
    "messages that others refuse or put off for what they think of",
    {
      least: 3,
    },
  ),
  feature("reached_messages", "domain", "outbound", "messages that reached"),
  // a name of ours that others could not make up: two of them are enough
  feature("own_hop_not_found", "next hop", "outbound", "messages stopped at our own but unknown host", {
    least: 2,
  }),
];
/** Place in ENTITY_FEATURES by name. */
export const FEATURE = Object.fromEntries(ENTITY_FEATURES.map((f, i) => [f.name, i])) as Record<
  string,
  number
>;
