import { InvalidArgumentError, Option, type Command } from 'commander'
import { LAYOUTS, parseDuration, type Flags, type LayoutName } from '../index.js'

/** What every command takes; commander's names for the flags. */
export interface GlobalOptions {
  readonly database?: readonly string[]
  readonly url?: string
  readonly dir?: string
  readonly layout?: LayoutName | 'auto'
  readonly config?: string
  readonly embedded?: boolean
  readonly wait?: number | true
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
  readonly yes?: boolean
  readonly lockTimeout?: number
  readonly lockWait?: number
  readonly templates?: number
  /** No flag: the command has been told by its own what it works on. */
  readonly here?: boolean
}

/** How long `--wait` without a time waits: a container's PostgreSQL is up within seconds, a cold cluster within a minute. */
const DEFAULT_WAIT_MS = 60_000

export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option(
        '-d, --database <name>',
        'work on this database of the configuration (repeat it, or separate by commas)',
      ).argParser((value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').filter((name) => name !== ''),
      ]),
    )
    .option('--url <url>', 'the server to work on, postgresql://...')
    .option('--dir <folder>', 'a folder of migrations, without any configuration')
    .addOption(
      new Option('--layout <tool>', 'whose rules the folders of migrations go by (default: auto)').choices([
        'auto',
        ...LAYOUTS,
      ]),
    )
    .option('--config <file>', 'the configuration file (default: the nearest dbkit.config.*)')
    .option('--embedded', 'use the embedded engine even where a server is expected')
    .option('--wait [time]', 'wait for a server that is starting (default: 60s)', duration)
    .option('--json', 'print one JSON document and nothing else')
    .option('-q, --quiet', 'print errors only')
    .option('--no-color', 'print without colours')
    .option('-y, --yes', 'do not ask')
}

export function flagsOf(options: GlobalOptions): Flags {
  const waitMs = options.wait === true ? DEFAULT_WAIT_MS : options.wait
  return {
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    ...(options.layout === undefined ? {} : { layout: options.layout }),
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.embedded === undefined ? {} : { embedded: options.embedded }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(options.lockTimeout === undefined ? {} : { lockTimeoutMs: options.lockTimeout }),
    ...(options.here === undefined ? {} : { here: options.here }),
    ...(options.templates === undefined ? {} : { templates: options.templates }),
    ...(options.lockWait === undefined ? {} : { lockWaitMs: options.lockWait }),
  }
}

/** "5s" to milliseconds. */
export function duration(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw new InvalidArgumentError('Expected a time like 5s, 500ms or 2min.')
  return milliseconds
}

/** For the commands that change databases that others use. */
export function lockOptions(command: Command): Command {
  return command
    .option(
      '--lock-timeout <time>',
      'how long a statement may wait for a lock before the migration is tried again (default: 5s)',
      duration,
    )
    .option('--lock-wait <time>', 'how long to wait for another runner (default: 10min)', duration)
    .option('--redact', 'show no values of rows when something fails')
    .option('--no-preflight', 'do not look beforehand whether the role may do what is to be done')
}

/** For the commands that make databases anew. */
export function templatesOption(): Option {
  return new Option(
    '--templates <n>',
    'on a server: keep so many templates of what is made, and copy from one when nothing has changed (default: 0)',
  ).argParser((text: string) => (text === '0' ? 0 : wholeNumber(text)))
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(text)
}

export function version(text: string): string {
  // Versions of other tools are dotted numbers and words: which there are is known once the files are read.
  if (!/^[^\s-]\S*$/.test(text))
    throw new InvalidArgumentError('Expected a version like 7, 0007 or 0007_add_rating.')
  return text
}
