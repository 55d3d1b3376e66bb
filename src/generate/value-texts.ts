/** Numbers and times as PostgreSQL reads them. Most are asked for again and again, and are made once. */

const DAY = 86_400_000

const integers: string[] = []
const KEPT_INTEGERS = 10_000

export function integerText(value: number): string {
  if (!(value >= 0 && value < KEPT_INTEGERS && Number.isInteger(value))) return String(value)
  // Filled from the front: an array with holes far apart becomes a slow map.
  while (integers.length <= value) integers.push(String(integers.length))
  return integers[value] ?? ''
}

const THOUSANDS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'))

/** With zeros before it. From a table: V8 keeps each text that it makes of a number for a while, which is a burden where all differ. */
export function paddedText(value: number, digits: number): string {
  if (!(value >= 0 && value < 1e9 && digits > 6 && digits <= 9)) return String(value).padStart(digits, '0')
  const [millions, rest] = [Math.floor(value / 1_000_000), value % 1_000_000]
  const head = THOUSANDS[millions] ?? ''
  const thousands = Math.floor(rest / 1_000)
  return (
    (millions >= 10 ** (digits - 6) ? String(millions) : head.slice(9 - digits)) +
    (THOUSANDS[thousands] ?? '') +
    (THOUSANDS[rest - thousands * 1_000] ?? '')
  )
}

const POWERS = [1, 10, 100, 1_000, 10_000]
const FRACTIONS = POWERS.slice(0, 4).map((power) =>
  Array.from({ length: power }, (_, units) => `.${String(power + units).slice(1)}`),
)

/** As toFixed, which takes three times as long. */
export function fixedText(value: number, digits: number): string {
  const power = POWERS[digits]
  // A numeric may hold NaN, which nobody has asked for: this way it is refused.
  if (Number.isNaN(value)) return 'NaN.'
  if (power === undefined || Math.abs(value) > 1e11) return value.toFixed(Math.min(digits, 20))
  const units = Math.round(Math.abs(value) * power)
  const whole = Math.floor(units / power)
  const text =
    digits === 0
      ? integerText(whole)
      : integerText(whole) +
        (FRACTIONS[digits]?.[units - whole * power] ?? `.${String(power + units - whole * power).slice(1)}`)
  return value < 0 && units > 0 ? `-${text}` : text
}

const FIRST_DAY = 7_305 // 1990
const days: (string | undefined)[] = Array.from({ length: 25_000 })

export function dayText(day: number): string {
  // What cannot be reckoned PostgreSQL refuses by the name of its column.
  if (Number.isNaN(day) || Math.abs(day) > 90_000_000) return 'NaN'
  const known = days[day - FIRST_DAY]
  if (known !== undefined) return known
  const text = new Date(day * DAY).toISOString().replace(/T.*/, '')
  if (day >= FIRST_DAY && day < FIRST_DAY + days.length) days[day - FIRST_DAY] = text
  return text
}

const two = (number: number): string => String(number).padStart(2, '0')
const MINUTES = Array.from(
  { length: 1_440 },
  (_, minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`,
)
const SECONDS = Array.from({ length: 60 }, (_, second) => `:${two(second)}`)

/** From the seconds since midnight. */
export function clockText(seconds: number): string {
  const minute = Math.floor(seconds / 60)
  return (MINUTES[minute] ?? 'NaN') + (SECONDS[seconds - minute * 60] ?? '')
}

let lastMoment = NaN
let lastText = ''

/** From milliseconds since 1970. Several columns of a row often hold the same moment. */
export function momentText(milliseconds: number): string {
  if (milliseconds === lastMoment) return lastText
  const day = Math.floor(milliseconds / DAY)
  lastText = `${dayText(day)} ${clockText(Math.floor((milliseconds - day * DAY) / 1_000))}`
  lastMoment = milliseconds
  return lastText
}
