// Why the configuration was refused, in one sentence for people.

/** A wrong setting. The message is one sentence that names it, says what was given and what is accepted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
