/** PostgreSQL's lock modes of tables, the weakest first, by the names that pg_locks gives them. */
const MODES = {
  AccessShareLock: { words: 'ACCESS SHARE', stops: 'neither reads nor writes' },
  RowShareLock: { words: 'ROW SHARE', stops: 'neither reads nor writes' },
  RowExclusiveLock: { words: 'ROW EXCLUSIVE', stops: 'neither reads nor writes' },
  ShareUpdateExclusiveLock: { words: 'SHARE UPDATE EXCLUSIVE', stops: 'neither reads nor writes' },
  ShareLock: { words: 'SHARE', stops: 'writes' },
  ShareRowExclusiveLock: { words: 'SHARE ROW EXCLUSIVE', stops: 'writes' },
  ExclusiveLock: { words: 'EXCLUSIVE', stops: 'writes and SELECT FOR UPDATE' },
  AccessExclusiveLock: { words: 'ACCESS EXCLUSIVE', stops: 'reads and writes' },
} as const

export type LockMode = keyof typeof MODES

const ORDER = Object.keys(MODES) as readonly LockMode[]

export function isLockMode(name: string | null | undefined): name is LockMode {
  return name !== null && name !== undefined && name in MODES
}

/** As the documentation and the grammar of LOCK TABLE write it. */
export function wordsOf(mode: LockMode): string {
  return MODES[mode].words
}

/** What others have to wait with. */
export function stopsWhat(mode: LockMode): string {
  return MODES[mode].stops
}

export function isAtLeast(mode: LockMode, other: LockMode): boolean {
  return ORDER.indexOf(mode) >= ORDER.indexOf(other)
}

export function strongest(modes: readonly LockMode[]): LockMode | undefined {
  return ORDER.findLast((mode) => modes.includes(mode))
}
