// Sizes as people write them: 4MiB, 4MB, 512KiB, 65536.

const unitsBytes = new Map([["", 1], ["b", 1], ["kb", 1000], ["kib", 1024], ["mb", 1000 ** 2], ["mib", 1024 ** 2]]);

/** The size in bytes (MB is a million, MiB is 1,048,576, no unit means bytes), or undefined when the text is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)([a-z]*)$/i.exec(text) ?? [];
  const unitBytes = unit === undefined ? undefined : unitsBytes.get(unit.toLowerCase());
  return unitBytes === undefined ? undefined : Number(digits) * unitBytes;
}
