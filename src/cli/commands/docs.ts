import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  docsBuild,
  docsServe,
  exitCodeOf,
  problem,
  settleConfig,
  type Config,
  type DocsBuildOptions,
  type DocsFormat,
} from '../../index.js'
import { flagsOf, type GlobalOptions } from '../options.js'
import { printReport, runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly format?: readonly DocsFormat[]
  readonly out?: string
  readonly check?: boolean
  readonly requireComments?: number | true
  readonly base?: string
  readonly port?: number
  readonly host?: string
  readonly shadowUrl?: string
}

const FORMATS = ['site', 'markdown', 'mermaid', 'dbml', 'svg', 'dot'] as const satisfies readonly DocsFormat[]

/** `dbkit docs ...` */
export function defineDocs(docs: Command, context: VerbContext): void {
  docs.addHelpText(
    'after',
    examples('dbkit docs build', 'dbkit docs build --format mermaid --out -', 'dbkit docs serve'),
  )
  addServe(docs, context)

  docs
    .command('build')
    .description('write the documentation, from the migrations, or with --url from a live database')
    .addOption(
      new Option(
        '--format <name>',
        `${FORMATS.join(', ')}; repeat it, or separate by commas (default: the site, and what the configuration commits)`,
      ).argParser(formats),
    )
    .option(
      '--out <folder>',
      'where to (default: .dbkit/docs for the site, docs/schema or what the configuration says for the rest); - prints it',
    )
    .option('--check', 'write nothing, and exit 1 with the difference when a committed file is out of date')
    .option(
      '--require-comments [percent]',
      'exit 1 when fewer tables, columns, views, functions and types have a comment (default: 100)',
      percent,
    )
    .option(
      '--base <ref>',
      'a diagram of only those tables that are another at this git ref, for pull requests',
    )
    .option(
      '--shadow-url <url>',
      'a server to run the migrations on, in a database of their own (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit docs build',
        'dbkit docs build --format site --out public/schema',
        'dbkit docs build --format markdown',
        'dbkit docs build -d happyrobot --format mermaid --out -',
        'dbkit docs build --check --require-comments 90',
        'dbkit docs build --base origin/main',
        'dbkit docs build -d happyrobot --format markdown --url postgresql://...',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        docsBuild(config, { ...run, ...chosen(options, context) }),
      )
    })
}

function addServe(docs: Command, context: VerbContext): void {
  docs
    .command('serve')
    .description(
      'serve the site on a port, built again whenever migrations, shapes or the configuration change',
    )
    .option('--port <number>', 'the port, 0 for any that is free (default: 4444)', port)
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
    .option(
      '--shadow-url <url>',
      'a server to run the migrations on, in a database of their own (default: the embedded engine)',
    )
    .addHelpText('after', examples('dbkit docs serve', 'dbkit docs serve -d happyrobot --port 0'))
    .action((_: unknown, command: Command) => serve(context, command.optsWithGlobals<Options>()))
}

async function serve(context: VerbContext, options: Options): Promise<void> {
  const refused = [
    ['--url', options.url !== undefined, 'nothing tells when a live database changes'],
    ['--json', options.json === true, 'that is one document'],
  ] as const
  for (const [option, isThere, why] of refused)
    if (isThere) throw problem('request.conflicting-options', { options: ['docs serve', option], why })
  const { terminal, signal } = context
  const settle = (): Promise<Config> =>
    settleConfig(flagsOf(options), { cwd: terminal.cwd(), environment: terminal.env })
  let printed = Promise.resolve()
  const served: string[] = []
  const report = await docsServe(settle, {
    signal,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
    onReport: (built, url) => {
      served.push(url)
      printed = printed.then(async () => {
        await printReport(terminal, options, built)
        if (options.quiet !== true) terminal.stdout.write(`${url}  (Ctrl-C ends it)\n`)
      })
    },
  })
  await printed
  if (served.length > 0) return
  await printReport(terminal, options, report)
  context.exitCode = exitCodeOf(report)
}

function port(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65535)
    throw new InvalidArgumentError('Expected a port, from 0 to 65535.')
  return Number(value)
}

function chosen(options: Options, { terminal }: VerbContext): DocsBuildOptions {
  refuseTogether(options)
  const { format, out, requireComments, shadowUrl } = options
  return {
    from: options.url === undefined && options.embedded !== true ? 'migrations' : 'database',
    check: options.check === true,
    ...(format === undefined ? {} : { formats: format }),
    ...(out === undefined ? {} : { out: out === '-' ? 'print' : resolve(terminal.cwd(), out) }),
    ...(requireComments === undefined
      ? {}
      : { requireComments: requireComments === true ? 100 : requireComments }),
    ...(shadowUrl === undefined ? {} : { shadowUrl }),
    ...(options.base === undefined ? {} : { base: options.base }),
  }
}

function refuseTogether(options: Options): void {
  const refused = [
    [
      '--check',
      '--out -',
      options.check === true && options.out === '-',
      'one compares files, the other prints',
    ],
    [
      '--base',
      '--check',
      options.base !== undefined && options.check === true,
      'what changed is not committed',
    ],
    [
      '--base',
      '--url',
      options.base !== undefined && options.url !== undefined,
      'a commit holds migrations, not a database',
    ],
    [
      '--base',
      '--require-comments',
      options.base !== undefined && options.requireComments !== undefined,
      'a diagram has no comments',
    ],
  ] as const
  for (const [one, other, isThere, why] of refused)
    if (isThere) throw problem('request.conflicting-options', { options: [one, other], why })
}

function formats(value: string, before: readonly DocsFormat[] | undefined): readonly DocsFormat[] {
  const named = value.split(',').filter((name) => name !== '')
  const unknown = named.find((name) => !(FORMATS as readonly string[]).includes(name))
  if (named.length === 0 || unknown !== undefined)
    throw new InvalidArgumentError(`Expected ${FORMATS.join(', ')}.`)
  return [...new Set([...(before ?? []), ...(named as DocsFormat[])])]
}

function percent(value: string): number {
  const number = Number(value)
  if (!/^\d{1,3}(?:\.\d+)?$/.test(value) || number > 100)
    throw new InvalidArgumentError('Expected a percentage from 0 to 100.')
  return number
}
