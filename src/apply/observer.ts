import type { MaintainTask } from '../maintain/maintain-report.js'
import type { StepReport } from '../report.js'

/** What a run says while it goes on; everything of it is also in the report, except what only matters meanwhile. */
export type RunEvent =
  | { readonly kind: 'opening'; readonly database: string; readonly engine: 'server' | 'embedded' }
  | { readonly kind: 'engine-wait'; readonly database: string; readonly reason: string }
  | { readonly kind: 'lock-wait'; readonly database: string; readonly holder: string }
  | {
      readonly kind: 'step-started'
      readonly database: string
      readonly name: string
      readonly direction: 'up' | 'down'
      readonly index: number
      readonly total: number
    }
  | {
      readonly kind: 'statement-started'
      readonly database: string
      readonly index: number
      readonly total: number
    }
  | {
      readonly kind: 'lock-retry'
      readonly database: string
      readonly name: string
      readonly attempt: number
      readonly delayMs: number
    }
  | { readonly kind: 'step-ended'; readonly database: string; readonly step: StepReport }
  | {
      readonly kind: 'backfill-progress'
      readonly database: string
      readonly table: string
      readonly rows: number
      /** As the statistics have it; undefined: nobody has counted them yet. */
      readonly estimate: number | undefined
    }
  | {
      readonly kind: 'fleet-progress'
      readonly database: string
      readonly done: number
      readonly total: number
      readonly failed: number
    }
  | {
      readonly kind: 'seed-progress'
      readonly database: string
      readonly file: string
      readonly bytes: number
      readonly totalBytes: number
    }
  | {
      readonly kind: 'import-progress'
      readonly database: string
      readonly phase: 'reading' | 'checking' | 'writing'
      readonly documents: number
      readonly bytes: number
      readonly totalBytes: number
    }
  | {
      readonly kind: 'generate-progress'
      readonly database: string
      readonly table: string
      readonly rows: number
      readonly totalRows: number
    }
  | {
      readonly kind: 'proof'
      readonly database: string
      /** What is being tried, e.g. "0007_add_rating" or "the whole way down". */
      readonly what: string
      readonly index: number
      readonly total: number
    }
  | {
      readonly kind: 'maintain-progress'
      readonly database: string
      readonly task: MaintainTask
      readonly object: string
      readonly done: number
      /** 0: not known. */
      readonly total: number
      /** As PostgreSQL calls it, e.g. "scanning heap". */
      readonly phase: string
    }
  | { readonly kind: 'notice'; readonly database: string; readonly message: string }

export type Observer = (event: RunEvent) => void
