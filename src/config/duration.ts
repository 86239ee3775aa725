// Durations as people write them: 500ms, 30s, 10m, 24h, 30d, 1h30m.

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Each unit at most once and the larger first, so that a duration has one reading. */
const form = /^(?=.)(?:(?<d>\d+)d)?(?:(?<h>\d+)h)?(?:(?<m>\d+)m(?!s))?(?:(?<s>\d+)s)?(?:(?<ms>\d+)ms)?$/;

/** The duration in milliseconds, or undefined when the text is not one. A number without a unit is not one: nobody can tell what it means. */
export function parseDurationMs(text: string): number | undefined {
  const parts = form.exec(text)?.groups;
  if (parts === undefined) return undefined;
  let totalMs = 0;
  for (const [unit, unitMs] of Object.entries(unitsMs)) totalMs += Number(parts[unit] ?? 0) * unitMs;
  return totalMs;
}
