// Prints docs/settings.md from the table of settings, so that the page cannot say anything else than the code.

import { writeFileSync } from "node:fs";
import { settingsMarkdown } from "../src/config/help.ts";
import { settingsTable } from "../src/config.ts";

const page = `# Settings

Each is an environment variable (also from a file \`.env\` in the working directory) or a flag: \`WALLET_LISTEN\` is \`--listen\`. A flag wins over its variable. \`npm start -- --help\`
prints the same. A wrong setting, or one that does not exist, stops the start with a sentence that names it.

${settingsMarkdown(settingsTable())}`;

writeFileSync(new URL("../docs/settings.md", import.meta.url), page);
