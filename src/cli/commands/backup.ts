import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { backup, problem, restore, type BackupOptions, type RestoreOptions } from '../../index.js'
import { askPassphrase } from '../ask-passphrase.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface BackupFlags extends GlobalOptions {
  readonly out?: string
  readonly format?: 'custom' | 'plain'
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
  readonly encrypt?: boolean
  readonly recipient?: readonly string[]
  readonly passphraseFile?: string
}

interface RestoreFlags extends GlobalOptions {
  readonly verify?: boolean
  readonly clean?: boolean
  /** False with --no-owner. */
  readonly owner?: boolean
  readonly identity?: readonly string[]
  readonly passphraseFile?: string
}

/** `dbkit backup` */
export function defineBackup(command: Command, context: VerbContext): void {
  command
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
    .option(
      '--encrypt',
      'with age, by a passphrase (DBKIT_PASSPHRASE, --passphrase-file, or typed) or for recipients',
    )
    .option(
      '--recipient <recipient...>',
      'encrypt for these recipients of age (age1...) instead of a passphrase',
    )
    .option('--passphrase-file <file>', 'a file whose first line is the passphrase')
    .addHelpText(
      'after',
      examples(
        'dbkit backup',
        'dbkit backup -d happyrobot --url postgresql://... --out happyrobot.dump',
        'dbkit backup -d happyrobot --format plain --schema-only --out schema.sql',
        'dbkit backup --encrypt --recipient age1...',
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
      return runVerb(context, options, async (config, run) =>
        backup(config, {
          ...run,
          ...(await encryptionOf(context, options, config.environment)),
          content,
          ...(options.out === undefined ? {} : { out: resolve(context.terminal.cwd(), options.out) }),
          ...(options.format === undefined ? {} : { format: options.format }),
        }),
      )
    })
}

/** `dbkit restore` */
export function defineRestore(command: Command, context: VerbContext): void {
  command
    .argument('<file>')
    .option('--verify', 'restore into a scratch database, prove the backup by it, and drop it again')
    .option(
      '--clean',
      'replace what is there, once the backup is restored beside it and proved (needs --yes)',
    )
    .option('--identity <file...>', "files with the identities of a backup's recipients")
    .option(
      '--passphrase-file <file>',
      'a file whose first line is the passphrase (default: DBKIT_PASSPHRASE, or typed)',
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
      return runVerb(context, options, async (config, run) =>
        restore(config, {
          ...run,
          ...(await decryptionOf(context, options, config.environment, file)),
          file: resolve(context.terminal.cwd(), file),
          verify: options.verify === true,
          clean: options.clean === true,
          yes: options.yes === true,
          noOwner: options.owner === false,
        }),
      )
    })
}

type Environment = Readonly<Record<string, string | undefined>>

async function encryptionOf(
  context: VerbContext,
  { encrypt, recipient, passphraseFile }: BackupFlags,
  environment: Environment,
): Promise<Pick<BackupOptions, 'encrypt'>> {
  if (recipient !== undefined) {
    if (passphraseFile !== undefined)
      throw problem('request.conflicting-options', {
        options: ['--recipient', '--passphrase-file'],
        why: "age's format has either recipients or one passphrase",
      })
    return { encrypt: { recipients: recipient } }
  }
  if (encrypt !== true && passphraseFile === undefined) return {}
  const passphrase =
    passphraseOf(context, passphraseFile, environment) ??
    (await askPassphrase(context.terminal, { twice: true }))
  if (passphrase === undefined)
    throw problem('request.bad-option', {
      option: '--encrypt',
      value: '',
      expected: 'a passphrase in DBKIT_PASSPHRASE or --passphrase-file, or --recipient',
    })
  return { encrypt: { passphrase } }
}

async function decryptionOf(
  context: VerbContext,
  { identity, passphraseFile }: RestoreFlags,
  environment: Environment,
  file: string,
): Promise<Pick<RestoreOptions, 'decrypt'>> {
  if (identity !== undefined) {
    const lines = identity.flatMap((name) =>
      readFileSync(resolve(context.terminal.cwd(), name), 'utf8').split(/\r?\n/),
    )
    const identities = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
    return { decrypt: { identities } }
  }
  // Of a backup that is not encrypted nobody asks for it.
  if (passphraseFile === undefined && !file.endsWith('.age') && environment['DBKIT_PASSPHRASE'] === '')
    return {}
  const known = passphraseOf(context, passphraseFile, environment)
  const passphrase =
    known ?? (file.endsWith('.age') ? await askPassphrase(context.terminal, { twice: false }) : undefined)
  return passphrase === undefined ? {} : { decrypt: { passphrase } }
}

function passphraseOf(
  { terminal }: VerbContext,
  file: string | undefined,
  environment: Environment,
): string | undefined {
  const passphrase =
    file === undefined
      ? environment['DBKIT_PASSPHRASE']
      : (readFileSync(resolve(terminal.cwd(), file), 'utf8').split(/\r?\n/)[0] ?? '')
  // A secret that is missing leaves a variable empty: nobody is to believe that this encrypted anything.
  if (passphrase === '')
    throw problem('request.bad-option', {
      option: file === undefined ? 'DBKIT_PASSPHRASE' : '--passphrase-file',
      value: '',
      expected: 'a passphrase',
    })
  return passphrase
}
