const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A time span in PostgreSQL's notation for settings ("500ms", "5s", "2min", "1h"; a bare number is milliseconds) to
 * milliseconds. Undefined when it is none. https://www.postgresql.org/docs/current/config-setting.html
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$/.exec(text.trim())
  if (match === null) return undefined
  return Math.round(Number(match[1]) * (UNITS[match[2] ?? 'ms'] ?? 1))
}
