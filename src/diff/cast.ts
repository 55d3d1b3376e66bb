/** From one type to another: whether PostgreSQL does it by itself, how it is said otherwise, and whether values are lost on the way. */

/** Types that are assigned to each other without being told how. Within a line, the later holds what the earlier does. */
const FAMILIES: readonly (readonly string[])[] = [
  ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'],
  ['character', 'name', 'character varying', 'text'],
  ['date', 'timestamp without time zone', 'timestamp with time zone'],
  ['time without time zone', 'time with time zone'],
  ['json', 'jsonb'],
  ['cidr', 'inet'],
  ['bit', 'bit varying'],
]

interface Parsed {
  /** Without modifiers. */
  readonly base: string
  readonly modifiers: readonly number[]
  readonly array: boolean
}

function parse(type: string): Parsed {
  const array = type.endsWith('[]')
  const element = type.replace(/(?:\[\])+$/, '')
  const found = /^([^"(]*)\(([\d, -]+)\)(.*)$/.exec(element)
  if (found === null) return { base: element, modifiers: [], array }
  const [, head = '', numbers = '', tail = ''] = found
  return { base: `${head}${tail}`, modifiers: numbers.split(',').map(Number), array }
}

function familyOf(base: string): readonly string[] | undefined {
  return FAMILIES.find((family) => family.includes(base))
}

/** What stands behind USING; undefined where none is needed. Without it PostgreSQL refuses a value that does not fit, with it it may cut it. */
export function castOf(column: string, from: string, to: string): string | undefined {
  const [old, now] = [parse(from), parse(to)]
  if (!old.array && now.array) return `case when ${column} is not null then array[${column}]::${to} end`
  if (old.array && !now.array) return `${column}[1]::${to}`
  if (old.base === now.base) return undefined
  const family = familyOf(old.base)
  if (family?.includes(now.base) === true) return undefined
  if (!old.array && (now.base === 'text' || now.base === 'character varying')) return undefined
  return isDirect(old.base, now.base) ? `${column}::${to}` : `${column}::text${old.array ? '[]' : ''}::${to}`
}

/** Casts that are there, though they have to be asked for. */
function isDirect(from: string, to: string): boolean {
  if (familyOf(from)?.includes('text') === true) return true
  const pair = `${from} > ${to}`
  return [
    'integer > boolean',
    'boolean > integer',
    'time without time zone > interval',
    'interval > time without time zone',
  ].includes(pair)
}

/** Whether two values that differ can become the same, without any error. */
export function losesValues(from: string, to: string): boolean {
  const [old, now] = [parse(from), parse(to)]
  if (old.array !== now.array) return old.array
  if (isCut(old, now)) return true
  const family = familyOf(old.base)
  if (family === undefined || old.base === now.base) return false
  const [was, is] = [family.indexOf(old.base), family.indexOf(now.base)]
  if (is < 0) return old.base.startsWith('timestamp') && now.base.startsWith('time ')
  if (family.includes('numeric')) return !isWider(old.base, now.base)
  if (family.includes('date')) return now.base === 'date'
  return family.includes('json') ? false : is < was && family.includes('time with time zone')
}

function isWider(from: string, to: string): boolean {
  const integers = ['smallint', 'integer', 'bigint']
  if (integers.includes(from)) {
    if (integers.includes(to)) return true
    return (
      to === 'numeric' ||
      (to === 'double precision' && from !== 'bigint') ||
      (to === 'real' && from === 'smallint')
    )
  }
  return from === 'real' && to === 'double precision'
}

/** Rounded to fewer digits, silently: of text and bits that are too long PostgreSQL makes an error. */
function isCut(old: Parsed, now: Parsed): boolean {
  const rounds = now.base === 'numeric' || now.base.startsWith('time') || now.base === 'interval'
  if (!rounds || now.modifiers.length === 0) return false
  if (now.base === 'numeric') {
    if (['smallint', 'integer', 'bigint'].includes(old.base)) return false
    const scale = (parsed: Parsed): number =>
      parsed.modifiers.length === 0 ? Number.MAX_SAFE_INTEGER : (parsed.modifiers[1] ?? 0)
    return scale(old) > scale(now)
  }
  if (old.base === 'date') return false
  return (old.modifiers[0] ?? 6) > (now.modifiers[0] ?? 6)
}

/** Whether a foreign key between a column of the one type and one of the other can stand. */
export function areComparable(from: string, to: string): boolean {
  const [old, now] = [parse(from), parse(to)]
  if (old.array !== now.array) return false
  if (old.base === now.base) return true
  const integers = ['smallint', 'integer', 'bigint']
  const texts = ['character varying', 'text']
  return [integers, texts].some((family) => family.includes(old.base) && family.includes(now.base))
}
