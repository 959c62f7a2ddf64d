import type { Config } from "../../config/config.ts";
import type { LogAccess } from "./host.ts";

/** What an installation depends on. Paths are those of the machine that it is for. */
export type Plan = {
  readonly config: Config;
  /** Node and the script that it runs. */
  readonly command: readonly [string, string];
  /** The file of settings. */
  readonly configPath: string;
  /** `system`: a service of the machine, with a user of its own; `user`: of the user's own systemd. */
  readonly scope: "system" | "user";
  /** `watch`: a daemon; `daily`: one run a day in its place. */
  readonly mode: "watch" | "daily";
  readonly user: string;
  readonly access: LogAccess;
  /** Whether the group postdrop exists: members hand mail to Postfix without a program that changes its group. */
  readonly postdrop: boolean;
  readonly stateDir: string;
  /** Another folder than the one that systemd or the user's system gives. */
  readonly ownState: boolean;
};

/** A file to install. */
export type PlannedFile = { readonly path: string; readonly content: string };

/** By this line files are known as ours. */
export const HEADER =
  '# Installed by "logvane schedule install"; "logvane schedule remove" takes it away again.';

const MAILDROP = "/var/spool/postfix/maildrop";
/** Above what watching and training were measured to take at their peak (docs/benchmarks.md): a limit for what goes wrong. */
const WATCH_MEMORY = ["MemoryHigh=400M", "MemoryMax=600M"];
const TRAIN_MEMORY = ["MemoryHigh=1G", "MemoryMax=1500M"];
/**
 * What malloc keeps for the daemon (mallopt(3)). One arena for all threads: with one for each, the four in which V8 compiles keep what their
 * largest function took, which grows for weeks to 15 MiB and is never given back. And at most 1 MiB at the end of the heap that is free: by
 * itself glibc raises that to twice the largest block that was ever freed; with less, each block that comes to stay makes the heap grow.
 */
export const WATCH_ENVIRONMENT = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "1048576" } as const;

/** Where unit files go. home: of the user, for the scope `user`. */
export const unitFolder = (scope: Plan["scope"], configHome: string): string =>
  scope === "system" ? "/etc/systemd/system" : `${configHome}/systemd/user`;

export const SYSUSERS = "/etc/sysusers.d/logvane.conf";

/** All files of an installation under systemd. */
export function unitFiles(plan: Plan, folder: string): PlannedFile[] {
  const unit = (name: string, lines: readonly string[]): PlannedFile => ({
    path: `${folder}/${name}`,
    content: `${HEADER}\n${lines.join("\n")}\n`,
  });
  const files = [
    unit("logvane-report.service", reportService(plan)),
    unit("logvane-report.timer", timer("Logvane's daily report", reportTime(plan.config), "1min")),
  ];
  if (plan.mode === "watch") files.unshift(unit("logvane.service", watchService(plan)));
  const daily = retrainTime(plan.config);
  if (daily !== undefined) {
    files.push(unit("logvane-retrain.service", retrainService(plan)));
    files.push(unit("logvane-retrain.timer", timer("Logvane learns anew, when it is due", daily, "30min")));
  }
  if (plan.scope === "system" && plan.user !== "root")
    files.push({ path: SYSUSERS, content: `${HEADER}\nu ${plan.user} - "Logvane" ${plan.stateDir}\n` });
  return files;
}

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}:00`;

const reportTime = ({ report, log }: Config): string => `*-*-* ${clock(report.atMinute)} ${log.timezone}`;

/** Every day: retrain --due knows whether the week is over, or something has changed that is to be learned sooner. */
const retrainTime = ({ retrain, log }: Config): string | undefined =>
  retrain.weekday === undefined ? undefined : `*-*-* ${clock(retrain.atMinute)} ${log.timezone}`;

/** A word of ExecStart, as systemd.service(5) and systemd.unit(5) read it. */
export const execWord = (text: string): string =>
  /^[A-Za-z0-9_./:=@+-]+$/.test(text)
    ? text
    : `"${text.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;

function execStart({ command, configPath, stateDir, ownState }: Plan, ...args: readonly string[]): string {
  const words = [...command, ...args, "--config", configPath, ...(ownState ? ["--state", stateDir] : [])];
  return `ExecStart=${words.map(execWord).join(" ")}`;
}

/** A path as settings with lists of paths read it; -: it may be missing. */
const optionalPath = (path: string): string =>
  /^[A-Za-z0-9_./:=@+-]+$/.test(path)
    ? `-${path}`
    : `"-${path.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%")}"`;

function timer(description: string, calendar: string, delay: string): string[] {
  return [
    "[Unit]",
    `Description=${description}`,
    "",
    "[Timer]",
    `OnCalendar=${calendar}`,
    "# Made up for after a time without power.",
    "Persistent=true",
    `RandomizedDelaySec=${delay}`,
    "",
    "[Install]",
    "WantedBy=timers.target",
  ];
}

function watchService(plan: Plan): string[] {
  return [
    "[Unit]",
    "Description=Logvane watches the mail log",
    "After=local-fs.target network.target",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=notify",
    "# systemd-notify speaks for the daemon.",
    "NotifyAccess=all",
    execStart(plan, "watch"),
    "# A daemon that is stuck is started anew; it goes on where it was.",
    "WatchdogSec=2min",
    "TimeoutStartSec=5min",
    "TimeoutStopSec=1min",
    "Restart=always",
    "RestartSec=10s",
    ...common(plan),
    "# Or malloc keeps some MiB for good that were needed for a moment.",
    ...Object.entries(WATCH_ENVIRONMENT).map(([name, value]) => `Environment=${name}=${value}`),
    ...WATCH_MEMORY,
    // For a heartbeat file that is gone after a restart of the machine.
    ...(plan.scope === "system" ? ["RuntimeDirectory=logvane", "RuntimeDirectoryMode=0755"] : []),
    ...sandbox(plan, needsNetwork(plan.config)),
    "",
    "[Install]",
    `WantedBy=${plan.scope === "system" ? "multi-user.target" : "default.target"}`,
  ];
}

function reportService(plan: Plan): string[] {
  const daily = plan.mode === "daily";
  return [
    "[Unit]",
    "Description=Logvane's daily report",
    "",
    "[Service]",
    "Type=oneshot",
    ...(daily
      ? [
          "# The report is made whatever becomes of the run before it.",
          execStart(plan, "detect", "--quiet").replace("=", "=-"),
        ]
      : []),
    execStart(plan, "report", "--date", "yesterday", "--send", "--quiet"),
    "TimeoutStartSec=2h",
    ...common(plan),
    ...(daily ? TRAIN_MEMORY : WATCH_MEMORY),
    ...sandbox(plan, needsNetwork(plan.config)),
  ];
}

function retrainService(plan: Plan): string[] {
  return [
    "[Unit]",
    "Description=Logvane learns anew what is normal",
    "",
    "[Service]",
    "Type=oneshot",
    execStart(plan, "retrain", "--due", "--quiet"),
    "TimeoutStartSec=6h",
    ...common(plan, 19),
    ...TRAIN_MEMORY,
    ...sandbox(plan, false),
  ];
}

/** The user, the state, and that the mail comes first. nice: 0 to 19. */
function common(plan: Plan, nice = 10): string[] {
  const groups = [...plan.access.groups, ...(plan.postdrop ? ["postdrop"] : [])];
  const own =
    plan.scope === "user"
      ? []
      : [
          `User=${plan.user}`,
          `Group=${plan.user}`,
          ...(groups.length > 0 ? [`SupplementaryGroups=${groups.join(" ")}`] : []),
          "StateDirectory=logvane",
          "StateDirectoryMode=0700",
        ];
  return [
    ...own,
    "UMask=0077",
    `Nice=${nice}`,
    "IOSchedulingClass=idle",
    `CPUWeight=${nice > 10 ? 5 : 20}`,
    "TasksMax=128",
    "LimitCORE=0",
  ];
}

/** Whether anything but the mail system of this machine is to be reached. */
export function needsNetwork({ channels, heartbeat, metrics, log }: Config): boolean {
  return (
    heartbeat.url !== undefined ||
    metrics.listen !== undefined ||
    log.listen.length > 0 ||
    channels.some(
      (c) => c.type === "webhook" || c.type === "command" || (c.type === "mail" && c.via.by === "smtp"),
    )
  );
}

/** Folders outside the state that are written: by channels, heartbeat, metrics and Postfix's own program. */
function writable({ config, postdrop, stateDir, ownState }: Plan): string[] {
  const folder = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";
  const files = [
    config.heartbeat.file,
    config.metrics.textfile,
    ...config.channels.map((c) => (c.type === "file" ? c.path : undefined)),
  ].flatMap((path) => (path === undefined ? [] : [folder(path)]));
  return [...new Set([...files, ...(postdrop ? [MAILDROP] : []), ...(ownState ? [stateDir] : [])])].sort();
}

/** What the service may not do. network: whether it reaches other machines. */
function sandbox(plan: Plan, network: boolean): string[] {
  const home = [...plan.command, plan.configPath, ...plan.config.log.paths].some((path) =>
    /^\/(home|root|run\/user)\//.test(path),
  );
  const paths = writable(plan);
  const closed = plan.access.closed.length > 0;
  const runsPrograms = plan.config.channels.some((c) => c.type === "command");
  if (plan.scope === "user")
    return ["NoNewPrivileges=yes", "LockPersonality=yes", "SystemCallArchitectures=native"];
  return [
    "# Nothing can be written but the state, and nothing gained.",
    "NoNewPrivileges=yes",
    ...(closed
      ? [`# ${plan.access.closed.join(", ")}: only root reads it, so reading is allowed everywhere.`]
      : []),
    `CapabilityBoundingSet=${closed ? "CAP_DAC_READ_SEARCH" : ""}`,
    `AmbientCapabilities=${closed ? "CAP_DAC_READ_SEARCH" : ""}`,
    "ProtectSystem=strict",
    ...paths.map((path) => `ReadWritePaths=${optionalPath(path)}`),
    `ProtectHome=${home ? "read-only" : "yes"}`,
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "PrivateMounts=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    ...(runsPrograms ? [] : ["SystemCallFilter=~@privileged @resources"]),
    "SystemCallErrorNumber=EPERM",
    ...(network
      ? ["RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"]
      : [
          "# Mail goes to this machine's own mail system by files, so that no network is needed.",
          "PrivateNetwork=yes",
          "RestrictAddressFamilies=AF_UNIX",
        ]),
    "# MemoryDenyWriteExecute= can't be set: V8 and WebAssembly make machine code at run time.",
  ];
}
