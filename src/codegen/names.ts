/** carrier_equipment_types -> CarrierEquipmentTypes. What TypeScript takes for no name gets an underscore in front. */
export function pascalCase(name: string): string {
  const joined = name
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
  return /^[\p{L}_$]/u.test(joined) ? joined : `_${joined}`
}

/** As Kysely's CamelCasePlugin names the column. */
export function camelCase(name: string): string {
  let camel = name.slice(0, 1)
  for (let at = 1; at < name.length; at++) {
    const [character, before] = [name.charAt(at), name.charAt(at - 1)]
    if (character === '_') continue
    camel += before === '_' ? character.toUpperCase() : character
  }
  return camel
}

/** The name of one row: the last word in the singular, without the "v_" or "mv_" that marks a view. */
export function rowName(
  table: string,
  isView: boolean,
  singularize: boolean | Readonly<Record<string, string>>,
): string {
  const bare = isView ? table.replace(/^m?vw?_(?=.)/i, '') : table
  if (singularize === false) return pascalCase(bare)
  const last = /[^_\W]+$/.exec(bare)?.[0] ?? ''
  const ruled = singularize === true ? undefined : byRules(last, singularize)
  return pascalCase(bare.slice(0, bare.length - last.length) + (ruled ?? singular(last)))
}

/** The last rule that fits, as rules that are added later go before; the rules of kysely-codegen: /pattern/flags or a word. */
function byRules(word: string, rules: Readonly<Record<string, string>>): string | undefined {
  for (const [rule, replacement] of Object.entries(rules).reverse()) {
    const [, source, flags] = /^\/(.*)\/(.*)$/.exec(rule) ?? []
    const pattern =
      source === undefined
        ? new RegExp(`^${rule.replaceAll(/\W/g, '\\$&')}$`, 'i')
        : new RegExp(source, flags)
    if (pattern.test(word)) return word.replace(pattern, replacement)
  }
  return undefined
}

/** Keys of a constant object for texts: Pascal or SCREAMING_SNAKE. */
export function enumKey(label: string, style: 'pascal-case' | 'screaming-snake-case'): string {
  if (style === 'pascal-case') return pascalCase(/[a-z]/.test(label) ? label : label.toLowerCase())
  const joined = label
    .replaceAll(/(\p{Ll}|\p{N})(?=\p{Lu})/gu, '$1_')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .join('_')
    .toUpperCase()
  return /^[\p{L}_$]/u.test(joined) ? joined : `_${joined}`
}

const IRREGULAR: Readonly<Record<string, string>> = {
  people: 'person',
  children: 'child',
  men: 'man',
  women: 'woman',
  indices: 'index',
  vertices: 'vertex',
  matrices: 'matrix',
  movies: 'movie',
  cookies: 'cookie',
  criteria: 'criterion',
  leaves: 'leaf',
  shelves: 'shelf',
  wives: 'wife',
  buses: 'bus',
  aliases: 'alias',
  statuses: 'status',
}

const THE_SAME = new Set(
  'news series species statistics analytics metadata data physics economics logistics sms gps dns tls https'.split(
    ' ',
  ),
)

function singular(word: string): string {
  const lower = word.toLowerCase()
  if (THE_SAME.has(lower)) return word
  const irregular = IRREGULAR[lower]
  if (irregular !== undefined) return lower === word ? irregular : irregular.toUpperCase()
  if (/(?:ss|us|is|as|os)$/i.test(word)) return word
  if (/[^aeiou]ies$/i.test(word)) return word.replace(/ies$/i, 'y')
  if (/(?:ss|sh|ch|x|zz)es$/i.test(word)) return word.replace(/es$/i, '')
  return word.replace(/s$/i, '')
}

/** Hands out names once; a second of the same name gets a number. */
export class Names {
  private readonly taken: Set<string>

  constructor(reserved: Iterable<string>) {
    this.taken = new Set(reserved)
  }

  /** The name, once all the names that go with it are free as well. */
  take(wanted: string, derived: (name: string) => readonly string[] = () => []): string {
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}${String(number)}`
      const all = [name, ...derived(name)]
      if (all.some((one) => this.taken.has(one))) continue
      for (const one of all) this.taken.add(one)
      return name
    }
  }
}

/** A key of an object or interface, quoted only where it must be. */
export function keyText(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : stringText(name)
}

/** A string as TypeScript writes it, in single quotes unless double ones save escapes. */
export function stringText(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
  const plain = escaped.replaceAll('\\"', '"')
  if (!plain.includes("'")) return `'${plain}'`
  const [single, double] = [count(plain, "'"), count(plain, '"')]
  return double < single ? `"${escaped}"` : `'${plain.replaceAll("'", "\\'")}'`
}

function count(text: string, character: string): number {
  return text.split(character).length - 1
}
