// The service's version, as package.json says it.

import { readFileSync } from "node:fs";

/** The version of this service, such as "0.1.0". */
export const version: string = (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }).version;
