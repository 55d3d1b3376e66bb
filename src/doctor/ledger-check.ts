import type { MigrationState, MigrationStatus } from '../report.js'
import type { DoctorFinding, DoctorLevel } from './doctor-report.js'
import { command, counted, finding, type About } from './finding.js'

interface Trouble {
  readonly level: DoctorLevel
  readonly message: string
  readonly why: string
  readonly command: (database: string, version: string) => string
}

const TROUBLES: Readonly<Partial<Record<MigrationState, Trouble>>> = {
  interrupted: {
    level: 'error',
    message: 'stopped midway, and neither ended nor was undone',
    why: 'It runs outside a transaction: a part of it is there. No other migration runs before it has ended.',
    command: (database) => `dbkit migrate up -d ${database}`,
  },
  edited: {
    level: 'error',
    message: 'is applied, and its file says something else by now',
    why: 'Databases that get the new text differ from this one. Nothing is applied before that is settled.',
    command: (database) => `dbkit migrate repair -d ${database}`,
  },
  missing: {
    level: 'warning',
    message: 'is applied, and its file is not here',
    why: 'It was run from another branch, or the file was deleted. What the files make is not what this database has.',
    command: (database) => `dbkit migrate down -d ${database}`,
  },
  'out-of-order': {
    level: 'warning',
    message: 'is pending, though a later one is applied',
    why: '`dbkit migrate up` refuses to go on until somebody has decided.',
    command: (database) => `dbkit migrate up -d ${database} --allow-out-of-order`,
  },
  'edited-down': {
    level: 'info',
    message: 'is applied, and the way back in its file was changed since',
    why: 'A rollback runs the way back as the file says it now.',
    command: (database) => `dbkit migrate repair -d ${database}`,
  },
}

export function judgeLedger(
  migrations: readonly MigrationStatus[],
  { name, hasLedger }: About,
): readonly DoctorFinding[] {
  const pending = migrations.filter(({ state }) => state === 'pending')
  const up = command(`dbkit migrate up -d ${name}`)
  return [
    ...migrations.flatMap(({ state, name: migration, version }) => {
      const trouble = TROUBLES[state]
      if (trouble === undefined) return []
      const { level, message, why } = trouble
      return [finding('ledger', level, migration, message, why, command(trouble.command(name, version)))]
    }),
    ...(pending.length === 0
      ? []
      : [
          finding(
            'ledger',
            'info',
            pending[0]?.name ?? '',
            hasLedger
              ? `${counted(pending.length, 'migration')} not applied, from this one on`
              : `dbkit has never migrated this database: all ${String(pending.length)} are pending`,
            'The database is not yet what the files say.',
            up,
          ),
        ]),
  ]
}
