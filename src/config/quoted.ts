// A value as a sentence may repeat it.

/** On one line, not endless, and without the password of a URL. */
export function quoted(text: string): string {
  const withoutPassword = text.replace(/\/\/.*@/s, "//…@");
  return JSON.stringify(withoutPassword.length > 200 ? `${withoutPassword.slice(0, 200)}…` : withoutPassword);
}
