import { samples as amavis } from "../../src/mail/amavis.ts";
import { samples as clamav } from "../../src/mail/clamav.ts";
import { samples as exim } from "../../src/mail/exim.ts";
import { samples as greylist } from "../../src/mail/greylist.ts";
import { samples as mailboxServers } from "../../src/mail/mailbox-servers.ts";
import { samples as opendkim } from "../../src/mail/opendkim.ts";
import { samples as opendmarc } from "../../src/mail/opendmarc.ts";
import { samples as otherMta } from "../../src/mail/other-mta.ts";
import { samples as pam } from "../../src/mail/pam.ts";
import { samples as rspamd } from "../../src/mail/rspamd.ts";
import { samples as sendmail } from "../../src/mail/sendmail.ts";
import { samples as spamassassin } from "../../src/mail/spamassassin.ts";
import { samples as spf } from "../../src/mail/spf.ts";
import { samples as ssh } from "../../src/mail/ssh.ts";
import { samples as stranger } from "../../src/mail/stranger.ts";
import { samples as system } from "../../src/mail/system.ts";
import type { CompanionSample } from "../../src/mail/words.ts";

/** Every sample line of a program beside Postfix and Dovecot. */
export const companionSamples: readonly CompanionSample[] = [
  ...amavis,
  ...clamav,
  ...exim,
  ...greylist,
  ...mailboxServers,
  ...opendkim,
  ...opendmarc,
  ...otherMta,
  ...pam,
  ...rspamd,
  ...sendmail,
  ...spamassassin,
  ...spf,
  ...ssh,
  ...stranger,
  ...system,
];
