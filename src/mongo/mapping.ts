/**
 * How the documents of a MongoDB database become rows: a value that a file beside the SQL gives (docs/import-mongo.md), so that dbkit
 * knows nobody's model by name.
 */
export interface Mapping {
  /** The file it came from, as shown to people. */
  readonly file: string
  readonly collections: readonly CollectionMapping[]
}

export interface CollectionMapping {
  /** The collection's name in MongoDB; also what its ids are derived from. */
  readonly name: string
  readonly table: string
  /** Column of the primary key, a uuid. */
  readonly id: string
  /** Column that keeps the _id. */
  readonly mongoId: string
  readonly fields: Fields
}

export type Fields = ReadonlyMap<string, Field>

export type Field = ValueField | ReferenceField | LocationField | GroupField | ListField | IgnoredField

/** A field that becomes one column. */
export interface ValueField {
  readonly kind: 'value'
  readonly type: ValueType
  readonly column: string
  readonly required: boolean
  /** What a missing field or null becomes; `created` is the time of creation (dates only). Undefined: NULL. */
  readonly default: DefaultValue | undefined
  readonly enum: readonly string[] | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  /** Its value is never shown in a message. */
  readonly secret: boolean
}

export const VALUE_TYPES = ['string', 'number', 'boolean', 'date', 'mixed', 'string[]'] as const
export type ValueType = (typeof VALUE_TYPES)[number]

export type DefaultValue =
  { readonly kind: 'created' } | { readonly kind: 'constant'; readonly value: unknown }

/** The _id of a document of another (or the same) collection. */
export interface ReferenceField {
  readonly kind: 'reference'
  readonly to: string
  readonly column: string
  readonly required: boolean
}

/** A place on the globe, which becomes two columns. */
export interface LocationField {
  readonly kind: 'location'
  readonly longitude: string
  readonly latitude: string
  readonly required: boolean
}

/** A document within the document; its fields become columns of the same table. */
export interface GroupField {
  readonly kind: 'group'
  readonly fields: Fields
}

/** An array of documents, each of which becomes a row of a table of its own. */
export interface ListField {
  readonly kind: 'list'
  readonly table: string
  /** Column that refers to the row of the document. */
  readonly parent: string
  /** Column of the place in the array, counted from 0. */
  readonly position: string
  readonly fields: Fields
}

/** Left out on purpose. */
export interface IgnoredField {
  readonly kind: 'ignored'
}
