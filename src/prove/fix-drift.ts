import type { Catalog } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { problem } from '../errors.js'
import { carryOut, type Change } from './prove-diff.js'

/** A change as text, each part a transaction of its own. */
export interface WrittenChange {
  readonly parts: readonly WrittenPart[]
  /** What is lost, in lines for people. */
  readonly losses: readonly string[]
}

export interface WrittenPart {
  readonly up: string
  /** Undefined: PostgreSQL cannot go back; `why` says what stays. */
  readonly down: string | undefined
  readonly why: string
}

/**
 * Plans the way from what a shadow contains to a catalog, runs it there, and runs the way back; both have to arrive. Fails with
 * `drift.not-fixed`, naming what stays different.
 */
export async function writeChange(
  session: Session,
  from: Catalog,
  to: Catalog,
  { ledger, searchPath }: DatabaseConfig,
): Promise<WrittenChange> {
  const there = await carryOut(session, from, to, { ledger, searchPath })
  if (there.faults.length > 0)
    throw problem('drift.not-fixed', { reasons: there.faults.map(({ object, why }) => `${object}: ${why}`) })
  const parts: WrittenPart[] = []
  // The last part is the first to be taken back.
  for (const part of [...there.parts].reverse()) {
    const now = await readCatalog(session, { ledger })
    const back = await carryOut(session, now, part.from, { ledger, searchPath })
    const reached = await readCatalog(session, { ledger })
    const left = compareCatalogs(reached, part.from).differences.flatMap(describeDifference)
    const [why = back.faults[0]?.why ?? ''] = left
    const whole = left.length === 0 && back.faults.length === 0 && back.parts.length <= 1
    parts.unshift({ up: textOf([part]), down: whole ? textOf(back.parts) : undefined, why })
    // Going on backwards from elsewhere would prove nothing.
    if (!whole) {
      parts.unshift(
        ...there.parts
          .slice(0, there.parts.indexOf(part))
          .map((one) => ({ up: textOf([one]), down: undefined, why })),
      )
      break
    }
  }
  return { parts, losses: there.parts.flatMap(({ steps }) => steps.flatMap(({ loss }) => loss ?? [])) }
}

function textOf(parts: Change['parts']): string {
  return parts.flatMap(({ steps }) => steps.map(({ sql }) => `${sql};\n`)).join('\n')
}
