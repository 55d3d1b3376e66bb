import type { Fact, FactDetails, FactKind, FactOf } from '../catalog.js'
import { quoteIfNeeded } from '../../database/quote.js'

/**
 * An object as the catalogs number it (catalog, oid, and for a column its number), in one number: a database of a thousand tables has
 * fifty thousand of them to look up, and text costs four times as much.
 */
export type Address = number

const CATALOGS: string[] = []
const NUMBERS = new Map<string, number>()
const OIDS = 2 ** 32
const PARTS = 2 ** 11

export function address(catalog: string, oid: string | null, part: string | number | null = 0): Address {
  let number = NUMBERS.get(catalog)
  if (number === undefined) NUMBERS.set(catalog, (number = CATALOGS.push(catalog) - 1))
  // A system column has a number below 0; a table has at most 1600 others.
  return (number * OIDS + Number(oid)) * PARTS + (Number(part) & (PARTS - 1))
}

/** The name of the system catalog that an object is a row of. */
export function catalogOf(object: Address): string {
  return CATALOGS[Math.floor(object / (OIDS * PARTS))] ?? ''
}

/** The table of a column; anything else itself. */
export function wholeOf(object: Address): Address {
  return object - (object % PARTS)
}

/** What a reader knows of a fact; key and comment are added here. */
export type Draft<K extends FactKind> = Omit<FactOf<K>, 'key' | 'kind' | 'comment' | 'details'> &
  (K extends keyof FactDetails ? { readonly details: FactDetails[K] } : object)

/** What is read before the facts, because it is said of objects of every kind. */
export interface Known {
  readonly comments: ReadonlyMap<Address, string>
  /** ALTER ... DEPENDS ON EXTENSION */
  readonly extensions: ReadonlyMap<Address, readonly string[]>
}

/** Everything that has been read so far: which object of the catalogs is, or belongs to, which fact. */
export class Registry {
  readonly facts = new Map<string, Fact>()
  readonly major: number
  private readonly owner: string
  private readonly known: Known
  private readonly keys = new Map<Address, string>()
  private readonly own = new Set<Address>()
  private readonly left = new Set<Address>()
  private readonly followers = new Set<Address>()

  constructor(major: number, owner: string, known: Known) {
    this.major = major
    this.owner = owner
    this.known = known
  }

  /** `judge` says what a comment that nobody wrote is worth. */
  add<K extends FactKind>(
    kind: K,
    draft: Draft<K>,
    object: Address | undefined,
    judge: (comment: string | undefined) => string | undefined = (comment) => comment,
  ): FactOf<K> {
    const key = `${kind} ${draft.identity}`
    const comment = judge(object === undefined ? undefined : this.known.comments.get(object))
    const fact = { details: undefined, ...draft, kind, key, comment }
    this.facts.set(key, fact as unknown as Fact)
    if (object !== undefined) {
      this.keys.set(object, key)
      this.own.add(object)
    }
    return fact as unknown as FactOf<K>
  }

  /** What stands alone in its schema. */
  inSchema(schema: string, name: string) {
    return { identity: qualified(schema, name), schema, name, parent: undefined }
  }

  /** What lives in no schema. */
  inNoSchema(name: string) {
    return { identity: quoteIfNeeded(name), schema: undefined, name, parent: undefined }
  }

  /** The object is a part of a fact that has no fact of its own. */
  partOf(object: Address, key: string): void {
    this.keys.set(object, key)
  }

  /** The object follows from one of a parent table, which says all there is to say about it. */
  followsInto(object: Address, key: string): void {
    this.keys.set(object, key)
    this.followers.add(object)
  }

  follows(object: Address): boolean {
    return this.followers.has(object)
  }

  /** The object is not the user's schema: the ledger, or a part of it. */
  leaveOut(object: Address): void {
    this.left.add(object)
  }

  isFact(object: Address): boolean {
    return this.own.has(object)
  }

  isLeftOut(object: Address): boolean {
    return this.left.has(object)
  }

  keyOf(object: Address): string | undefined {
    return this.keys.get(object)
  }

  identityOf(object: Address): string | undefined {
    return this.find(object)?.identity
  }

  find(object: Address): Fact | undefined {
    const key = this.keys.get(object)
    return key === undefined ? undefined : this.facts.get(key)
  }

  extensionsOf(object: Address): readonly string[] {
    return this.known.extensions.get(object) ?? []
  }

  /** Undefined for the role whose objects show no owner. */
  ownerName(role: string | null): string | undefined {
    return role === null || role === this.owner ? undefined : role
  }
}

/** schema.name as people write it. */
export function qualified(schema: string, name: string): string {
  return `${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`
}

/** The name of a part behind the identity of its whole. */
export function within(whole: string, part: string): string {
  return `${whole}.${quoteIfNeeded(part)}`
}
