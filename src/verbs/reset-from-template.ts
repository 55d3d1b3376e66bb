import { readFileSync } from 'node:fs'
import type { Config, DatabaseConfig, ServerTarget } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createDatabase, dropDatabase, withMaintenance } from '../database/maintenance.js'
import { labelOf, type ServerAddress } from '../database/server-target.js'
import {
  buildingName,
  copyTemplate,
  dropOldTemplates,
  findTemplate,
  isCopiedWhole,
  publishTemplate,
  templateName,
} from '../database/state-templates.js'
import type { DatabaseReport } from '../report.js'
import { readSeeds } from '../seed/read-seeds.js'
import { readWorkspace, type Workspace } from '../workspace/workspace.js'
import { addressOf, serverOptions } from './db-create.js'
import type { DbResetOptions } from './db-reset.js'
import { dropOne } from './db-drop.js'
import { seededState, wholeState } from './kept-states.js'

type Outcome = Omit<DatabaseReport, 'database'>

interface Job {
  readonly config: Config
  readonly database: DatabaseConfig
  readonly target: ServerTarget
  readonly purpose: string
  readonly options: DbResetOptions
  /** Migrates and, if that is wanted, seeds, counting dates from a day. */
  readonly fill: (
    database: DatabaseConfig,
    what: { readonly seed: boolean; readonly today: string },
  ) => Promise<Outcome>
  /** Loads the seeds into the database that is made anew. */
  readonly seed: (made: Outcome) => Promise<Outcome>
}

/**
 * Drops a database of a server and makes it anew as a copy of a template, which is made first where there is none. Undefined with a
 * reason: no template will do, and nothing was changed.
 */
export async function resetFromTemplate(job: Job): Promise<Outcome | { readonly unfit: string | undefined }> {
  const { config, database, target, purpose, options } = job
  const workspace = readWorkspace(database, config.root)
  const named = namesDatabases(workspace, database, config, options)
  if (named !== undefined)
    return { unfit: `no template is kept, because ${named} is about the database by its name` }
  const address = addressOf(target, config.environment)
  return withMaintenance(address, serverOptions(database, purpose, options), async ({ session, engine }) => {
    const state = await stateFor(session, workspace, address, job)
    if (state === undefined)
      return { unfit: 'no template is kept: code or hooks have a hand in what the migrations make' }
    const template = templateName(state.key)
    const found = await findTemplate(session, template)
    if (found === 'taken')
      return {
        unfit: `the template ${template} is another role's, or can be connected to, and is left alone`,
      }
    const built = found === 'absent' ? await build(session, template, state, job) : undefined
    if (built !== undefined && !('report' in built)) return built
    await dropOne(config, database, purpose, options)
    const { name: of, timeZone } = database
    if (!(await copyTemplate(session, template, address.database, { timeZone, of })))
      return { unfit: `the template ${template} could not be copied` }
    await dropOldTemplates(session, of, database.templates)
    const about = { engine: { ...engine, label: labelOf(address) }, existence: 're-created' } as const
    const made: Outcome =
      built === undefined
        ? { ...about, ...copied(workspace, template, state) }
        : { ...built.report, ...about }
    return options.seed === true && !state.seeded ? job.seed(made) : made
  })
}

interface State {
  readonly key: string
  /** The seeds are in it. */
  readonly seeded: boolean
  readonly day: string
}

/** With the seeds, where they depend on nothing but their files and the day. */
async function stateFor(
  session: Session,
  workspace: Workspace,
  { user }: ServerAddress,
  { config: { root }, database, options }: Job,
): Promise<State | undefined> {
  const rows = await session.query(
    "select pg_catalog.current_setting('server_version_num'), pg_catalog.to_char(pg_catalog.now() at time zone 'UTC', 'YYYY-MM-DD')",
  )
  const [version, day] = rows[0] ?? []
  // Whoever makes a database owns what is in it.
  const about = { engine: `server ${version ?? ''} ${user}`, day: day ?? '', root }
  const seeded = options.seed === true ? seededState(workspace, database, about) : undefined
  if (seeded !== undefined) return { key: seeded, seeded: true, day: about.day }
  const key = wholeState(workspace, database, about)
  return key === undefined ? undefined : { key, seeded: false, day: about.day }
}

/** Under a name of its own, and renamed when it is whole: what has the template's name was never half made. */
async function build(
  session: Session,
  template: string,
  { seeded: seed, day: today }: State,
  { database, target, fill }: Job,
): Promise<{ readonly report: Outcome } | { readonly unfit: string | undefined }> {
  const building = buildingName(template)
  await createDatabase(session, building, database.timeZone)
  try {
    const report = await fill({ ...database, target: { ...target, database: building } }, { seed, today })
    // The same will fail where it is to be seen.
    const unfit = !report.ok
      ? { unfit: undefined }
      : (await isCopiedWhole(session, building, database.timeZone))
        ? undefined
        : {
            unfit:
              'no template is kept: the database has settings or rights of its own, which are not copied',
          }
    if (unfit === undefined) {
      await publishTemplate(session, building, template, database.name)
      return { report }
    }
    await dropDatabase(session, building, { force: true })
    return unfit
  } catch (error) {
    if (!session.lost) await dropDatabase(session, building, { force: true })
    throw error
  }
}

function copied(workspace: Workspace, template: string, { seeded }: State): Outcome {
  const done = { direction: 'up', outcome: 'applied', source: 'cache' } as const
  return {
    ok: true,
    steps: [
      ...workspace.migrations.map(({ version, name }) => ({ version, name, ...done })),
      ...workspace.repeatable.map(({ name }) => ({ version: '', name, ...done, repeatable: true })),
    ],
    notes: [`copied from the template ${template}${seeded ? ', seeds included' : ''}`],
  }
}

/** The first file that speaks of the database itself, which a template is under another name. */
function namesDatabases(
  { migrations, repeatable }: Workspace,
  database: DatabaseConfig,
  { root }: Config,
  { seed = false }: DbResetOptions,
): string | undefined {
  const files = [...migrations, ...repeatable].map(({ up }) => ({
    file: up.file,
    path: up.path,
    text: up.text,
  }))
  const seeds = seed
    ? readSeeds([database], undefined, root).flatMap(({ sets }) => sets.flatMap((set) => set.files))
    : []
  for (const { file, path, text } of [
    ...files,
    ...seeds.filter(({ format }) => format === 'sql').map((one) => ({ ...one, text: undefined })),
  ])
    if (ABOUT_THE_DATABASE.test(text ?? readFileSync(path, 'latin1'))) return file
  return undefined
}

const ABOUT_THE_DATABASE =
  /\b(?:alter|on)\s+database\b|\bcurrent_(?:database|catalog)\b|\bcreate\s+subscription\b/i
