// How messages are encoded, in answers of every kind.

/** Answers below this size travel faster as they are than through gzip. In bytes. */
export const compressMinBytes = 1_024;

export const jsonOptions = {
  // A misspelt field must not be an absent one.
  ignoreUnknownFields: false,
  // Zeros and false are said: a reader of JSON should not have to know which fields may be missing.
  alwaysEmitImplicit: true,
} as const;

export const binaryOptions = { readUnknownFields: false, writeUnknownFields: false } as const;
