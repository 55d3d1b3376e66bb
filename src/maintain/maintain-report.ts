export const MAINTAIN_TASKS = [
  'partitions',
  'archive',
  'retention',
  'refresh',
  'vacuum',
  'analyze',
  'reindex',
] as const

/** In the order in which they are run: what removes rows before what cleans up after them. */
export type MaintainTask = (typeof MAINTAIN_TASKS)[number]

/** What `dbkit maintain` did, or would do. */
export interface MaintainReport {
  readonly steps: readonly MaintainStep[]
}

/** One task on one table, view or index. */
export interface MaintainStep {
  readonly task: MaintainTask
  readonly object: string
  readonly outcome: 'done' | 'planned' | 'nothing-to-do' | 'not-due' | 'failed' | 'not-run'
  /** In this order, each by itself; of a move of rows, what each batch runs. */
  readonly sql: readonly string[]
  /** Rows moved or deleted. */
  readonly rows?: number
  readonly batches?: number
  readonly durationMs?: number
  /** When it is due again, for what the configuration gives an interval. */
  readonly dueAt?: string
  readonly notes?: readonly string[]
}
