import type { Statement } from '../../workspace/statements.js'
import type { HazardCode } from '../hazards.js'
import type { Snapshot } from '../snapshot.js'
import type { StatementLook } from './statement-look.js'

/** A hazard that was seen, before anybody knows whether it is allowed. */
export interface Found {
  readonly code: HazardCode
  readonly statement: Statement | undefined
  /** What it is about, as people write it: "public.loads.rating". */
  readonly object: string
  readonly message: string
  readonly rewrite?: string
  /** The table whose size says how long it takes. */
  readonly table?: string
  /** It is none after all when this holds at the end of all that is looked at. */
  readonly unless?: (end: Snapshot) => boolean
}

/** What one statement did, as hazards of one kind. */
export type Rule = (look: StatementLook) => readonly Found[]
