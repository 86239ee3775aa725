// What the settings look like to people: the text of --help and the table of docs/settings.md.

/** One setting, as it is explained. */
export interface SettingRow {
  /** The environment variable, `WALLET_LISTEN`. */
  readonly name: string;
  /** The flag, `--listen`. */
  readonly flag: string;
  /** As one would write it; empty where there is none. */
  readonly default: string;
  readonly meaning: string;
  /** What it takes, in words; empty when the feature is not there yet. */
  readonly accepts: string;
  /** Why the default or the bound is what it is; empty where that needs no words. */
  readonly why: string;
}

/** The text of `--help`: how to give a setting, and every setting with its default and meaning. */
export function helpText(rows: readonly SettingRow[], version: string): string {
  const settings = rows.map((row) => `  ${row.flag}, ${row.name}${row.default === "" ? "" : ` (${row.default})`}\n${wrap(explanation(row), 92, "      ")}`);
  return `headless-wallet ${version}: keeps users' money balances right, over gRPC, Connect and REST.

Usage: npm start -- [--flag=value …]         serves the ledger
       npm run verify -- [--flag=value …]    checks the ledger of --database-url against its own journal, served or not, and changes nothing
       npm run copy -- --from … --to …       moves a ledger to another database (npm run copy -- --help)

Every setting is a flag and an environment variable; the flag wins. A file .env in the working directory is read too, below the environment.
Defaults are in parentheses.

${settings.join("\n\n")}

  --help (or -h), --version
      Print this, or the version, and exit.
`;
}

/** The settings as a Markdown table. */
export function settingsMarkdown(rows: readonly SettingRow[]): string {
  const cells = rows.map((row) => `| \`${row.name}\` | ${row.default === "" ? "–" : `\`${row.default}\``} | ${explanation(row).replaceAll("|", "\\|")} |\n`);
  return `| Setting | Default | Meaning |\n| --- | --- | --- |\n${cells.join("")}`;
}

function explanation({ meaning, accepts, why }: SettingRow): string {
  return [meaning, accepts === "" ? "Not there yet: setting it stops the start." : `Takes ${accepts}.`, why].filter((part) => part !== "").join(" ");
}

function wrap(text: string, width: number, indent: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1] ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join("\n");
}
