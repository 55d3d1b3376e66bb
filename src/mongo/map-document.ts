import { copyValue } from '../database/copy-text.js'
import type { ImportFindingCode } from '../report.js'
import { fillMissing, type BoundCollection } from './bind-mapping.js'
import type { Findings, Place } from './findings.js'
import { UNSTORABLE } from './plain-json.js'
import { keyText, readFields, type Cells, type Look } from './read-fields.js'
import { isStorable } from './storable.js'
import { mongoUuid } from './uuid5.js'
import { describeType, Malformed, Oid, openValue, type MongoDocument, type Open } from './values.js'

/** The rows of a document, as lines of COPY. */
export interface MappedDocument {
  readonly line: string
  readonly lists: readonly { readonly list: number; readonly line: string }[]
}

/** A document that cannot be imported; its id, if it has one, so that references to it do not count as dangling. */
export interface RejectedDocument {
  readonly rejected: string | undefined
}

/** Maps the documents of one collection, one after the other. What is wrong with one goes into the findings. */
export class DocumentMapper implements Look {
  open: Open
  prefix = ''
  oid: Oid | undefined
  private readonly collection: BoundCollection
  private readonly findings: Findings
  private place: Place
  private id: string | undefined
  private failed = false
  private rows: { list: number; position: number; cells: Cells }[] = []

  constructor(collection: BoundCollection, findings: Findings, open: Open) {
    this.collection = collection
    this.findings = findings
    this.open = open
    this.place = { file: '', collection: collection.name }
  }

  /** `source` stands at the head of the row: the numbers of file and place. */
  map(document: MongoDocument, place: Place, source: string): MappedDocument | RejectedDocument {
    this.begin(place)
    const uuid = this.readId(document['_id'])
    const { shape } = this.collection
    const cells: Cells = new Array<string | undefined>(shape.columns.length).fill(undefined)
    readFields(shape.readers, document, cells, this, '')
    fillMissing(shape.columns, cells, this, this.oid)
    if (this.failed || uuid === undefined) {
      this.findings.reject(place.file)
      return { rejected: uuid }
    }
    return {
      line: copyLine(`${source}\t${uuid}\t${copyValue(this.id ?? '')}`, cells),
      lists: this.rows.map(({ list, position, cells: row }) => ({
        list,
        line: copyLine(`${uuid}\t${String(position)}`, row),
      })),
    }
  }

  private begin(place: Place): void {
    this.place = place
    this.id = undefined
    this.oid = undefined
    this.failed = false
    this.rows = []
  }

  fail(code: ImportFindingCode, path: string, message: string): void {
    this.failed = true
    this.findings.add(this.place, code, { id: this.id, path: this.prefix + path, message })
  }

  opaque(path: string): void {
    this.findings.addOpaque(
      this.place,
      this.id,
      this.prefix + path,
      'a plain value and no ObjectId: taken as it is',
    )
  }

  row(list: number, position: number, cells: Cells): void {
    this.rows.push({ list, position, cells })
  }

  private readId(written: unknown): string | undefined {
    const { name, shape } = this.collection
    const value = openValue(written, this.open)
    const key = value === null || value === undefined ? undefined : keyText(value)
    if (key === undefined) {
      if (value === null || value === undefined)
        this.fail('missing', '_id', 'it is required, and missing or null')
      else this.fail('bad-type', '_id', `it is ${describeType(value)}, expected an ObjectId`)
      return undefined
    }
    if (key instanceof Malformed) {
      this.fail(key.code, '_id', key.reason)
      return undefined
    }
    if (key === '' || !isStorable(key)) {
      if (key === '') this.fail('bad-oid', '_id', 'it is empty, expected an ObjectId')
      else this.fail(UNSTORABLE.code, '_id', UNSTORABLE.reason)
      return undefined
    }
    this.id = key
    if (value instanceof Oid) this.oid = value
    else this.opaque('_id')
    if (shape.keyLength !== undefined && [...key].length > shape.keyLength)
      this.fail(
        'too-long',
        '_id',
        `it is longer than the ${String(shape.keyLength)} characters that ${shape.table.name}.${shape.keys[1]} holds`,
      )
    return mongoUuid(name, key)
  }
}

function copyLine(head: string, cells: Cells): string {
  return cells.length === 0 ? `${head}\n` : `${head}\t${cells.join('\t')}\n`
}
