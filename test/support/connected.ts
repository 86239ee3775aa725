// A connection to a PostgreSQL for one piece of work.

import { Client } from "pg";

/** Does the work on a connection of its own to this URL, and ends it. */
export async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url);
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
