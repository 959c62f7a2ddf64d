import { Argument, type Command } from "commander";
import { writeOut } from "./out.ts";

/** Registers `logvane completion`. load: gives a program with all verbs. */
export function completionCommand(program: Command, load: () => Promise<Command>): Command {
  return program
    .command("completion")
    .description("print the completion of verbs and flags for bash or fish")
    .addArgument(new Argument("<shell>", "bash or fish").choices(["bash", "fish"]))
    .addHelpText(
      "after",
      "\nFor all users: logvane completion bash > /etc/bash_completion.d/logvane\n           or: logvane completion fish > /etc/fish/completions/logvane.fish\nzsh takes that of bash after: autoload -U bashcompinit && bashcompinit",
    )
    .action(async (shell: string) => {
      const program = await load();
      await writeOut(shell === "fish" ? fishCompletion(program) : bashCompletion(program));
    });
}

/** A verb, or an inner one as `config show`. */
type Entry = { readonly words: string; readonly inner: readonly string[]; readonly flags: readonly string[] };

function entriesOf(program: Command): Entry[] {
  const entries: Entry[] = [];
  const add = (command: Command, before: string): void => {
    const words = `${before}${command.name()}`;
    const flags = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
    entries.push({ words, inner: command.commands.map((one) => one.name()), flags });
    for (const inner of command.commands) add(inner, `${words} `);
  };
  for (const command of program.commands) add(command, "");
  return entries;
}

/** After a verb: its inner verbs, its flags once - is typed, and files otherwise. */
function bashCompletion(program: Command): string {
  const entries = entriesOf(program);
  const verbs = entries.filter(({ words }) => !words.includes(" "));
  const list = (pick: (entry: Entry) => readonly string[]): string =>
    entries
      .filter((entry) => pick(entry).length > 0)
      .map((entry) => `    "${entry.words}") words="${pick(entry).join(" ")}" ;;\n`)
      .join("");
  return `# Completion of logvane for bash, made by: logvane completion bash
_logvane() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" verb="\${COMP_WORDS[1]}" words=""
  case "$verb" in
${list(({ inner }) => inner)}  esac
  # of a verb with inner verbs, the flags are those of the inner one
  [ -n "$words" ] && [ "$COMP_CWORD" -gt 2 ] && verb="$verb \${COMP_WORDS[2]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${verbs.map(({ words }) => words).join(" ")}"
  elif [ "\${cur:0:1}" = - ]; then
    case "$verb" in
${list(({ flags }) => flags)}    esac
  elif [ "$COMP_CWORD" -gt 2 ]; then
    words=""
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _logvane logvane
`;
}

/** Files are offered beside it, as fish does by itself. */
function fishCompletion(program: Command): string {
  const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const line = (condition: string, more: string, what: string): string =>
    `complete -c logvane -n ${quoted(condition)} ${more} -d ${quoted(what)}\n`;
  const flags = (command: Command, condition: string): string =>
    command.options
      .filter(({ long, hidden }) => long && !hidden)
      .map(({ long, description }) => line(condition, `-l ${long!.slice(2)}`, description))
      .join("");
  const verbs = program.commands.map((verb) => {
    const seen = `__fish_seen_subcommand_from ${verb.name()}`;
    const names = verb.commands.map((one) => one.name());
    const inner = verb.commands.map(
      (one) =>
        line(
          `${seen}; and not __fish_seen_subcommand_from ${names.join(" ")}`,
          `-f -a ${one.name()}`,
          one.description(),
        ) + flags(one, `${seen}; and __fish_seen_subcommand_from ${one.name()}`),
    );
    return (
      line("__fish_use_subcommand", `-f -a ${verb.name()}`, verb.description()) +
      (names.length > 0 ? inner.join("") : flags(verb, seen))
    );
  });
  return `# Completion of logvane for fish, made by: logvane completion fish\n${verbs.join("")}`;
}
