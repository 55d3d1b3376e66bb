/** What a hazard does to running traffic, and what to do instead. */
export interface Hazard {
  readonly title: string
  readonly traffic: string
  readonly safeWay: string
}

/**
 * Every hazard that dbkit knows, by the code that reports, directives (allow=<code>) and the documentation use. A code, once published,
 * keeps its meaning.
 */
export const HAZARDS = {
  // ---- the whole table is written anew
  'type-change-rewrite': {
    title: 'A change of type writes the table anew',
    traffic:
      'Nobody reads or writes the table until every row has been written again and every index built again; the disk holds both copies meanwhile.',
    safeWay:
      'Add a column of the new type, fill it in batches, and let the application move over to it before the old one is dropped. Widening a varchar, or varchar to text, needs no rewrite and is not reported.',
  },
  'volatile-default-rewrite': {
    title: 'A new column whose default differs from row to row',
    traffic:
      'A constant default is kept in the catalog; one that has to be computed for each row (random(), clock_timestamp(), a sequence, an identity) writes the whole table while nobody reads or writes it.',
    safeWay:
      'Add the column without a default, set the default for new rows, and fill the old rows in batches.',
  },
  'generated-column-rewrite': {
    title: 'A new stored generated column',
    traffic: 'The column is computed for every row while nobody reads or writes the table.',
    safeWay:
      'Add a plain column, keep it up to date with a trigger and fill it in batches; or compute it in a view, or (from PostgreSQL 18) as a virtual column.',
  },
  'table-rewrite': {
    title: 'The table is written anew',
    traffic: 'Nobody reads or writes the table until every row has been written to a new file.',
    safeWay:
      'Leave it out, or run it in a maintenance window: SET LOGGED and UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, CLUSTER and VACUUM FULL all copy the table under ACCESS EXCLUSIVE.',
  },
  'refresh-not-concurrent': {
    title: 'A materialized view is refreshed without CONCURRENTLY',
    traffic: 'Nobody reads the view while its query runs.',
    safeWay:
      'Give the view a unique index on plain columns and refresh it CONCURRENTLY; the first time, when it holds nothing yet, PostgreSQL needs the plain form.',
  },

  // ---- indexes
  'index-not-concurrent': {
    title: 'An index is built on an existing table without CONCURRENTLY',
    traffic: 'Nobody writes to the table until the index is built and the migration committed.',
    safeWay: 'Build it CONCURRENTLY, in a migration of its own that runs outside a transaction.',
  },
  'index-rebuild': {
    title: 'An existing index is built again',
    traffic:
      'Nobody writes to the table while the index is built, and no query that would use the index runs; under a change of collation nobody reads it either.',
    safeWay: 'Use REINDEX ... CONCURRENTLY, in a migration that runs outside a transaction.',
  },
  'drop-index-not-concurrent': {
    title: 'An index is dropped without CONCURRENTLY',
    traffic:
      'It takes a moment, but ACCESS EXCLUSIVE waits for every query that is running on the table, and everybody else queues behind it.',
    safeWay: 'Drop it CONCURRENTLY, in a migration of its own that runs outside a transaction.',
  },
  'constraint-builds-index': {
    title: 'A primary key, unique or exclusion constraint builds its index',
    traffic: 'Nobody reads or writes the table while the index is built.',
    safeWay:
      'Build a unique index CONCURRENTLY first, and make the constraint from it with USING INDEX, which takes a moment. An exclusion constraint has no such way.',
  },
  'foreign-key-without-index': {
    title: 'A foreign key without an index on its own side',
    traffic:
      'Each DELETE of a referenced row, and each UPDATE of its key, reads this table from end to end, with its locks held meanwhile.',
    safeWay: 'Build an index that starts with the columns of the foreign key, before the constraint.',
  },

  // ---- every row is read under a lock
  'foreign-key-scan': {
    title: 'A foreign key is checked while it is added',
    traffic: 'Nobody writes to either table until every row has been looked up.',
    safeWay:
      'Add it NOT VALID, which takes a moment, and VALIDATE it in the next migration, which stops nobody.',
  },
  'check-scan': {
    title: 'A CHECK is tested against every row while it is added',
    traffic: 'Nobody reads or writes the table until every row has been read.',
    safeWay:
      'Add it NOT VALID, which takes a moment, and VALIDATE it in the next migration, which stops nobody.',
  },
  'not-null-scan': {
    title: 'NOT NULL without a proved CHECK',
    traffic: 'Nobody reads or writes the table until every row has been read.',
    safeWay:
      'Prove it first: CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in the next migration; then SET NOT NULL reads nothing, and the CHECK can go.',
  },
  'attach-partition-scan': {
    title: 'A partition is attached unproved',
    traffic:
      'Nobody reads or writes the table that becomes a partition, or the default partition, until every row has been held against the bounds.',
    safeWay:
      'Give the table a CHECK that says the same as its bounds (NOT VALID, then VALIDATE) before it is attached, and drop the CHECK afterwards.',
  },
  'scan-under-exclusive-lock': {
    title: 'A table is read from end to end while it is locked against everybody',
    traffic:
      'Locks are held until the commit: an earlier statement of the same transaction has locked the table, so nobody reads or writes it while this one goes through all of its rows.',
    safeWay: 'Move the slow statement to a migration of its own.',
  },

  'lock-table': {
    title: 'A table is locked by hand',
    traffic:
      'Nobody writes to the table, or reads it either, until the commit, whatever else the migration does.',
    safeWay:
      'Leave it out: each statement takes the lock that it needs. Where two statements must see the same rows, lock those rows with SELECT ... FOR UPDATE.',
  },
  'unbatched-write': {
    title: 'An UPDATE or DELETE goes over a whole table',
    traffic:
      'Every row that it changes stays locked until the commit, so whoever wants to write one waits; replicas lag behind, and the table grows by a copy of each row.',
    safeWay: 'Go over the table in batches, by ranges of an indexed key, each in a transaction of its own.',
  },

  // ---- it fails, or cannot be undone
  'not-null-without-default': {
    title: 'A new NOT NULL column without a default',
    traffic: 'It fails on every table that has rows.',
    safeWay: 'Give it a constant default, which costs nothing, or add it as nullable and fill it first.',
  },
  'not-in-transaction': {
    title: 'A statement that PostgreSQL refuses in a transaction',
    traffic: 'The migration fails when it is applied.',
    safeWay: 'Move it to a migration of its own that runs outside a transaction.',
  },
  'missing-down': {
    title: 'No way back, and no reason',
    traffic: 'When the release has to be taken back at night, there is nothing to run.',
    safeWay: 'Write the down, or say in the head of the up why there is none.',
  },
  'identifier-truncated': {
    title: 'A name that PostgreSQL cuts',
    traffic:
      'PostgreSQL keeps 63 bytes of a name and says so only in a notice: two long names can become one, and code that uses the whole name does not find it in the catalog.',
    safeWay: 'Use a shorter name.',
  },

  // ---- code that runs already is broken, or data is gone
  'drop-table': {
    title: 'A table is dropped',
    traffic:
      'Its rows are gone, and the version of the application that still runs while this one is rolled out fails on every query of it.',
    safeWay:
      'Release code that does not use it first; keep a copy if the rows matter. Then allow it, with the reason.',
  },
  'drop-column': {
    title: 'A column is dropped',
    traffic:
      'Its values are gone, and the version of the application that still runs while this one is rolled out fails on every query that names it.',
    safeWay:
      'Release code that does not name it first (an ORM may, without anybody asking for it). Then allow it, with the reason.',
  },
  'truncate-table': {
    title: 'A table is emptied',
    traffic: 'Its rows are gone for everybody, and nobody reads or writes it until the commit.',
    safeWay: 'DELETE in batches what is to go; or, where that is what is meant, allow it with the reason.',
  },
  'drop-view': {
    title: 'A view is dropped and not made again',
    traffic: 'Whoever still queries it fails from the commit on.',
    safeWay:
      'Release code that does not use it first, then allow it with the reason; or create it again in the same migration.',
  },
  'drop-function': {
    title: 'A function is dropped and not made again',
    traffic: 'Whoever still calls it fails from the commit on.',
    safeWay:
      'Release code that does not call it first, then allow it with the reason; or create it again in the same migration.',
  },
  'drop-cascade': {
    title: 'CASCADE takes more with it than the statement names',
    traffic:
      'Views, constraints, triggers or columns that other code relies on are gone without having been named.',
    safeWay:
      'Drop what depends on it by name, in an order that needs no CASCADE, and make again what has to stay.',
  },
  'used-by-function': {
    title: 'A function still names what is dropped or renamed',
    traffic:
      'PostgreSQL does not look into the bodies of functions: the function stays, and fails when it is called the next time.',
    safeWay: 'Replace the function in the same migration, before the drop or the new name.',
  },
  'rename-table': {
    title: 'A table is renamed',
    traffic: 'The version of the application that still runs fails on every query of the old name.',
    safeWay: 'Create a view of the old name in the same migration, and drop it when nobody uses it any more.',
  },
  'rename-column': {
    title: 'A column is renamed',
    traffic: 'The version of the application that still runs fails on every query of the old name.',
    safeWay:
      'Add a column of the new name, keep both the same with a trigger, move the application over, then drop the old one.',
  },
  'drop-default': {
    title: 'A NOT NULL column loses its default',
    traffic:
      'The version of the application that still runs while this one is rolled out leaves the column out, and its INSERTs fail.',
    safeWay: 'Release code that gives the column a value first, then allow it with the reason.',
  },
  revoke: {
    title: 'A right is taken away',
    traffic: 'Whoever still uses it fails from the commit on.',
    safeWay: 'See to it that nobody uses it any more, then allow it with the reason.',
  },
  'row-security-without-policy': {
    title: 'Row security is switched on without a policy',
    traffic: 'Everybody but the owner finds the table empty, without any error, from the commit on.',
    safeWay: 'Create the policies before row security is switched on, in the same migration.',
  },
  'enum-rename-value': {
    title: 'A value of an enum is renamed',
    traffic: 'Code that still writes or compares the old label fails.',
    safeWay:
      'Add the new label, let the application write it, update the rows in batches, and leave the old label unused.',
  },
} as const satisfies Readonly<Record<string, Hazard>>

export type HazardCode = keyof typeof HAZARDS

export function isHazardCode(code: string): code is HazardCode {
  return Object.hasOwn(HAZARDS, code)
}
