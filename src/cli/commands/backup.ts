import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { backup, problem, restore } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface BackupFlags extends GlobalOptions {
  readonly out?: string
  readonly format?: 'custom' | 'plain'
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
}

interface RestoreFlags extends GlobalOptions {
  readonly verify?: boolean
  readonly clean?: boolean
  /** False with --no-owner. */
  readonly owner?: boolean
}

/** `dbkit backup` and `dbkit restore` */
export function addBackupCommands(program: Command, context: VerbContext): void {
  program
    .command('backup')
    .description('write a backup of each database, and beside it a manifest by which it can be proved')
    .option(
      '--out <path>',
      'a file; with several databases a folder (default: backups/, named by the moment)',
    )
    .addOption(
      new Option('--format <format>', 'custom for pg_restore, plain SQL for psql (default: custom)').choices([
        'custom',
        'plain',
      ]),
    )
    .option('--schema-only', 'without rows')
    .option('--data-only', 'rows alone')
    .addHelpText(
      'after',
      examples(
        'dbkit backup',
        'dbkit backup -d happyrobot --url postgresql://... --out happyrobot.dump',
        'dbkit backup -d happyrobot --format plain --schema-only --out schema.sql',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<BackupFlags>()
      if (options.schemaOnly === true && options.dataOnly === true)
        throw problem('request.conflicting-options', {
          options: ['--schema-only', '--data-only'],
          why: 'nothing would be left to back up',
        })
      const content = options.schemaOnly === true ? 'schema' : options.dataOnly === true ? 'data' : 'all'
      return runVerb(context, options, (config, run) =>
        backup(config, {
          ...run,
          content,
          ...(options.out === undefined ? {} : { out: resolve(context.terminal.cwd(), options.out) }),
          ...(options.format === undefined ? {} : { format: options.format }),
        }),
      )
    })

  program
    .command('restore <file>')
    .description('restore a backup, and prove that what came out is what was backed up')
    .option('--verify', 'restore into a scratch database, prove the backup by it, and drop it again')
    .option(
      '--clean',
      'replace what is there, once the backup is restored beside it and proved (needs --yes)',
    )
    .option('--no-owner', 'everything belongs to the role that restores; no rights are granted')
    .addHelpText(
      'after',
      examples(
        'dbkit restore happyrobot.dump --verify -d happyrobot --url postgresql://...',
        'dbkit restore happyrobot.dump -d happyrobot --url postgresql://...',
        'dbkit restore backups/delauto-20261120T030000Z.tar.gz -d delauto --clean --yes',
      ),
    )
    .action((file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RestoreFlags>()
      return runVerb(context, options, (config, run) =>
        restore(config, {
          ...run,
          file: resolve(context.terminal.cwd(), file),
          verify: options.verify === true,
          clean: options.clean === true,
          yes: options.yes === true,
          noOwner: options.owner === false,
        }),
      )
    })
}
