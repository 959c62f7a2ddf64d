// How each fault is made and mended. Commands run inside the lab's namespace, as root.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remote } from "./remote.ts";
import { pause } from "./wire.ts";

/** Runs a shell command in the lab; what it writes. Its failure is no failure of ours: a broken server answers as it does. */
export function sh(command: string): string {
  // Not a pipe: daemons that the command starts would hold it open for ever.
  const file = join(tmpdir(), `lab-said-${process.pid}`);
  const out = openSync(file, "w");
  spawnSync("bash", ["-c", command], { stdio: ["ignore", out, out], timeout: 60_000 });
  closeSync(out);
  return readFileSync(file, "utf8");
}

type Mix = readonly (readonly [kind: string, n: number])[];
export type Phase = {
  readonly state: string;
  readonly mix: Mix;
  readonly break?: () => Promise<void> | void;
  readonly repair?: () => Promise<void> | void;
  /** Done again and again while traffic goes on. */
  readonly meanwhile?: () => void;
};

const set = (...lines: string[]): void => {
  sh(`postconf -e ${lines.map((l) => `'${l}'`).join(" ")} && postfix reload`);
};
const dovecot = (text: string): void => {
  sh(`cat > /etc/dovecot/fault.conf <<'E'\n${text}\nE\ndoveadm -c /etc/dovecot/dovecot.conf reload`);
};
const healthy = (): void => {
  sh("rm -f /etc/dovecot/fault.conf; doveadm -c /etc/dovecot/dovecot.conf reload");
};

/** Random bytes over Dovecot's index files. */
function damage(folder = "/var/vmail/nordhav.example"): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/(?:dovecot\.index(?:\.cache|\.log)?|dovecot-uidlist)$/.test(name) || Math.random() < 0.4) continue;
    const path = join(folder, name);
    const size = statSync(path).size;
    if (size < 80) continue;
    const file = openSync(path, "r+");
    const at = Math.floor(Math.random() * (size - 64));
    writeSync(
      file,
      Uint8Array.from({ length: 64 }, () => Math.floor(Math.random() * 256)),
      0,
      64,
      at,
    );
    closeSync(file);
  }
}

const MAIL: Mix = [
  ["in_ham", 25],
  ["in_multi", 5],
  ["in_alias", 3],
  ["out_user", 22],
  ["out_local", 10],
  ["app_mail", 8],
  ["cron", 3],
  ["in_spam", 6],
];
const READ: Mix = [
  ["imap", 26],
  ["pop", 10],
];
const NORMAL: Mix = [
  ["in_ham", 130],
  ["in_bulk", 30],
  ["in_multi", 18],
  ["in_alias", 12],
  ["in_null", 10],
  ["in_typo", 14],
  ["in_full", 10],
  ["in_spam", 60],
  ["in_hdr", 10],
  ["in_pregreet", 14],
  ["in_scan", 35],
  ["in_relay", 10],
  ["sasl_noise", 30],
  ["imap_scan", 20],
  ["out_user", 130],
  ["out_multi", 16],
  ["out_local", 36],
  ["out_bounce", 14],
  ["out_grey", 10],
  ["out_full", 3],
  ["out_nx", 6],
  ["out_odd", 4],
  ["out_lost", 6],
  ["out_spamrej", 5],
  ["app_mail", 34],
  ["newsletter", 3],
  ["monitor", 8],
  ["cron", 14],
  ["imap", 120],
  ["pop", 40],
  ["imap_bad", 12],
  ["out_badpw", 12],
];

/** All that is recorded, in this order. */
export const PHASES = (lab: string): readonly Phase[] => [
  { state: "normal", mix: NORMAL },
  { state: "maint_reload", mix: [], break: () => void sh("postfix reload") },
  {
    state: "maint_restart",
    mix: [],
    break: async () => {
      for (let n = 0; n < 2; n++) {
        sh("postfix stop; doveadm -c /etc/dovecot/dovecot.conf stop");
        await pause(3000);
        sh("dovecot -c /etc/dovecot/dovecot.conf; postfix start");
        await pause(3000);
      }
    },
  },
  {
    state: "maint_cert",
    mix: [],
    break: () => void sh("postfix reload; doveadm -c /etc/dovecot/dovecot.conf reload"),
  },
  {
    state: "disk_full",
    mix: [...MAIL, ...READ],
    break: () =>
      void sh(`dd if=/dev/zero of=${lab}/disk/fill bs=64k; dd if=/dev/zero of=${lab}/disk/fill2 bs=1k`),
    meanwhile: () => void sh(`dd if=/dev/zero of=${lab}/disk/fill3 bs=1k oflag=append conv=notrunc`),
    repair: () => void sh(`rm -f ${lab}/disk/fill*`),
  },
  {
    state: "postfix_stopped",
    mix: READ,
    break: () => void sh("postfix stop"),
    repair: () => void sh("postfix start"),
  },
  {
    state: "mail_loop",
    mix: [
      ["out_loop", 16],
      ["out_forward", 8],
    ],
  },
  {
    state: "policy_down",
    mix: MAIL,
    break: () => void sh(`kill $(cat ${lab}/postgrey.pid)`),
    repair: () => void sh(`${lab}/postgrey.sh`),
  },
  {
    state: "milter_down",
    mix: MAIL,
    break: () => void sh("kill $(pgrep -o rspamd)"),
    repair: async () => {
      sh("rspamd -u _rspamd -g _rspamd");
      for (
        let n = 0;
        n < 400 && !sh("(exec 3<>/dev/tcp/127.0.0.1/11332) 2>&1 && echo open").includes("open");
        n++
      )
        await pause(200);
    },
  },
  {
    state: "over_quota",
    mix: [
      ["in_ham", 30],
      ["in_multi", 8],
      ["in_alias", 4],
      ["out_local", 16],
      ["app_mail", 10],
      ["imap", 20],
    ],
    break: () =>
      dovecot(
        "plugin {\n quota_rule = *:storage=4K\n quota_grace = 0\n}\nprotocol lmtp {\n plugin {\n quota_full_tempfail = yes\n }\n}",
      ),
    repair: healthy,
  },
  {
    state: "index_corrupt",
    mix: [
      ["in_ham", 20],
      ["out_local", 8],
      ["imap", 50],
      ["pop", 16],
    ],
    break: () => damage(),
    meanwhile: () => damage(),
  },
  {
    state: "mailbox_permission",
    mix: [
      ["in_ham", 34],
      ["in_multi", 5],
      ["out_local", 14],
      ["app_mail", 8],
      ["imap", 30],
      ["pop", 10],
    ],
    break: () =>
      void sh(
        "cd /var/vmail && chown -R root:root nordhav.example/[a-g]* havnkontor.example/[f-m]* && chmod -R go= nordhav.example/[a-g]* havnkontor.example/[f-m]*",
      ),
    repair: () => void sh("chown -R 5000:5000 /var/vmail"),
  },
  {
    state: "greylist_storm",
    mix: [
      ["out_user", 40],
      ["out_multi", 6],
      ["app_mail", 14],
    ],
    break: () => {
      remote.greylist = true;
    },
    repair: () => {
      remote.greylist = false;
    },
  },
  { state: "connection_flood", mix: [["flood", 60]] },
  { state: "harvest", mix: [["harvest", 50]] },
  { state: "backscatter", mix: [["backscatter", 60]] },
  // The last: clients that wait for a dying smtpd come through when it is mended, and would be taken for the next state's.
  {
    state: "postfix_config_broken",
    mix: [...MAIL, ["monitor", 5], ["in_scan", 10]],
    break: () =>
      set(
        "smtpd_relay_restrictions =",
        "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated",
      ),
    repair: () => void sh(`cp ${lab}/main.cf /etc/postfix/main.cf; postfix reload`),
  },
];
