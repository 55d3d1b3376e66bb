/**
 * Dates that move with the day of loading, so that "the last 30 days" always hold rows: `today`, `today + 1`, `today - 3`,
 * `today - 1 09:30`, `today + 2 hours`, `today - 2 weeks 14:00`. In UTC, and the same all day.
 */

export type DateKind = 'date' | 'timestamp' | 'timestamptz'

const FORM =
  /^today(?:\s*([+-])\s*(\d{1,6})(?:\s*(minute|hour|day|week|month|year)s?)?)?(?:\s+([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?)?$/

/** True for what means to be a relative date, well written or not. */
export function looksRelative(text: string): boolean {
  return /^\s*today\b/.test(text)
}

/**
 * The moment that a relative date means, in PostgreSQL's notation; an object says what is wrong with it. `today` is YYYY-MM-DD.
 */
export function resolveRelativeDate(
  text: string,
  kind: DateKind,
  today: string,
): string | { readonly wrong: string } {
  const match = FORM.exec(text.trim())
  if (match === null)
    return { wrong: 'it is not written like today, today + 1, today - 2 weeks 14:00 or today + 2 hours' }
  const [, sign, digits, unit = 'day', hours, minutes, seconds] = match
  const byTheClock = unit === 'hour' || unit === 'minute'
  if (byTheClock && hours !== undefined) return { wrong: `it says both ${unit}s and a time of day` }
  if (kind === 'date' && (byTheClock || hours !== undefined))
    return { wrong: 'a column of dates holds no time of day' }
  const amount = Number(digits ?? 0) * (sign === '-' ? -1 : 1)
  const moment = shift(new Date(`${today}T00:00:00Z`), amount, unit)
  if (hours !== undefined) moment.setUTCHours(Number(hours), Number(minutes), Number(seconds ?? 0))
  const year = moment.getUTCFullYear()
  if (Number.isNaN(year) || year < 1 || year > 9_999) return { wrong: 'it is out of the calendar' }
  const iso = moment.toISOString()
  if (kind === 'date') return iso.slice(0, 10)
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${kind === 'timestamptz' ? '+00' : ''}`
}

function shift(day: Date, amount: number, unit: string): Date {
  const moment = new Date(day)
  switch (unit) {
    case 'minute':
      moment.setUTCMinutes(amount)
      break
    case 'hour':
      moment.setUTCHours(amount)
      break
    case 'month':
    case 'year': {
      // As PostgreSQL counts: a month after 31 January is the last day of February.
      const months = amount * (unit === 'year' ? 12 : 1)
      moment.setUTCMonth(moment.getUTCMonth() + months, 1)
      const lastDay = new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1, 0)).getUTCDate()
      moment.setUTCDate(Math.min(day.getUTCDate(), lastDay))
      break
    }
    default:
      moment.setUTCDate(day.getUTCDate() + amount * (unit === 'week' ? 7 : 1))
  }
  return moment
}
