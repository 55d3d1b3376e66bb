import type { ImportFinding, ImportFindingCode } from '../report.js'

/** A document's place among the files. */
export interface Place {
  readonly file: string
  readonly collection: string
  /** Where it starts in a text file, or which document of a binary one it is; both from 1. */
  readonly line?: number
  readonly document?: number
}

/** Findings kept; the rest is counted. Without a limit, a file that is wrong in every line would fill the memory. */
export const FINDINGS_KEPT = 100_000

/** Collects what is wrong with documents, in the order in which it is found. */
export class Findings {
  readonly kept: ImportFinding[] = []
  /** Documents left out, by file. */
  readonly badByFile = new Map<string, number>()
  leftOut = 0
  private readonly opaque = new Map<string, { finding: ImportFinding; count: number }>()

  add(
    place: Place,
    code: ImportFindingCode,
    about: { readonly id?: string | undefined; readonly path?: string; readonly message: string },
    severity: ImportFinding['severity'] = 'error',
  ): void {
    if (this.kept.length >= FINDINGS_KEPT) {
      this.leftOut++
      return
    }
    const { id, path, message } = about
    this.kept.push({
      severity,
      code,
      ...place,
      ...(id === undefined ? {} : { id }),
      ...(path === undefined ? {} : { path }),
      message,
    })
  }

  /** Documents cannot be imported; counted once each, however much is wrong with them. */
  reject(file: string, count = 1): void {
    this.badByFile.set(file, (this.badByFile.get(file) ?? 0) + count)
  }

  /** Plain strings in the place of ObjectIds: one warning for each path, with a count. */
  addOpaque(place: Place, id: string | undefined, path: string, message: string): void {
    // The place in an array says nothing new.
    const key = `${place.collection}\0${path.replaceAll(/\.\d+(?=\.|$)/g, '.*')}`
    const known = this.opaque.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const finding: ImportFinding = {
      severity: 'warning',
      code: 'opaque-id',
      ...place,
      ...(id === undefined ? {} : { id }),
      path,
      message,
    }
    this.opaque.set(key, { finding, count: 1 })
  }

  get bad(): number {
    let sum = 0
    for (const count of this.badByFile.values()) sum += count
    return sum
  }

  /** Everything, warnings that were counted included. */
  all(): readonly ImportFinding[] {
    return [...this.kept, ...[...this.opaque.values()].map(({ finding, count }) => ({ ...finding, count }))]
  }
}
