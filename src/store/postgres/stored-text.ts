// Text as PostgreSQL can keep it: it takes every character but U+0000, which a caller's reference may contain.

/** A code point that Unicode promises never to give a character (https://www.unicode.org/faq/private_use.html#noncharacters), so text that anybody wrote is stored as it is. */
const escape = "\uFDD0";
const [escapedNul, escapedEscape] = [`${escape}0`, `${escape}1`];

/** The text with what cannot be stored replaced. */
export function toStoredText(text: string): string {
  return text.includes("\0") || text.includes(escape) ? text.replaceAll(escape, escapedEscape).replaceAll("\0", escapedNul) : text;
}

/** The text that was given to `toStoredText`. */
export function fromStoredText(stored: string): string {
  return stored.includes(escape) ? stored.replaceAll(escapedNul, "\0").replaceAll(escapedEscape, escape) : stored;
}
