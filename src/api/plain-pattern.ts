// Patterns that JavaScript's regular expressions and RE2, the language of the rules in protos, read alike.

/** Printable ASCII without a meaning of its own outside of a class. */
const literal = "[A-Za-z0-9 _:@%,;=!\"#&'<>~`/-]";
/** The same inside of one: a minus is there only between the ends of a range, or last. */
const inClass = "[ -,.-Z_`a-~]";
const characters = `(?:${literal}|\\[(?:${inClass}-${inClass}|${inClass})+-?\\])`;
/** RE2 repeats at most 1,000 times. */
const repeated = `${characters}(?:[?*+]|\\{[0-9]{1,3}(?:,[0-9]{1,3})?\\})?`;

/**
 * The whole text, made of ASCII characters and classes of them, each maybe repeated, and of groups of those that may be left out. Nothing in it is read
 * in two ways: no escape, no dot, no complement (one is about code units, the other about code points), and `$` is the text's end in both.
 */
const plainPattern = new RegExp(`^\\^(?:${repeated}|\\((?:${repeated})+\\)\\??)*\\$$`);

/** Code units of texts that are matched: JavaScript goes back and tries again where RE2 reads on, which may take long on a long text. */
const textMaxChars = 1_024;

/** A text's surest "it matches": false where it does not, where it is long, and always where the pattern may mean something else to RE2. */
export function surelyMatches(pattern: string): (text: string) => boolean {
  const compiled = plainPattern.test(pattern) ? compile(pattern) : undefined;
  if (compiled === undefined) return () => false;
  return (text) => text.length <= textMaxChars && compiled.test(text);
}

/** Undefined where it is none, such as with a range whose ends are in the wrong order. */
function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
