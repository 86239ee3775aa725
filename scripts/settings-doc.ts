// Prints the README's table of settings: `node scripts/settings-doc.ts`.

import { settingsMarkdown } from "../src/config/help.ts";
import { settingsTable } from "../src/config.ts";

process.stdout.write(settingsMarkdown(settingsTable()));
