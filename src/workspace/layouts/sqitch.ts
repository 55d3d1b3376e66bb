import { problem, type DbkitError } from '../../errors.js'
import { listedOrder } from '../version.js'
import { markersIn, wholeFile } from './files.js'
import type { Draft, Folder, Layout, NewFile } from './layout.js'

/** deploy/, revert/ and verify/ with a script for each change of sqitch.plan, in its order. */
export const sqitch: Layout = {
  name: 'sqitch',
  recognise(folder) {
    const plan = placesOf(folder).plan
    return folder.names.includes(plan) ? folder.show(plan) : undefined
  },
  read(folder) {
    const places = placesOf(folder)
    if (!folder.names.includes(places.plan))
      return {
        migrations: [],
        order: listedOrder([]),
        problems: [problem('layout.missing-file', { file: folder.show(places.plan), tool: 'sqitch' })],
      }
    const { changes, problems, notes } = parsePlan(folder, places.plan)
    const has = (file: string): boolean => folder.names.includes(file)
    const migrations = changes.flatMap(({ version, script }): readonly Draft[] => {
      const [deploy, revert, verify] = [places.deploy, places.revert, places.verify].map(
        (at) => `${at}${script}.${places.extension}`,
      ) as [string, string, string]
      if (!has(deploy)) {
        problems.push(problem('layout.missing-file', { file: folder.show(deploy), tool: 'sqitch' }))
        return []
      }
      return [
        {
          version,
          name: version,
          up: wholeFile(folder, deploy, 'sent'),
          down: has(revert) ? wholeFile(folder, revert, 'sent') : undefined,
          check: has(verify) ? wholeFile(folder, verify, 'check') : undefined,
          irreversible: 'there is no revert script',
        },
      ]
    })
    return { migrations, order: listedOrder(changes.map(({ version }) => version)), notes, problems }
  },
  create(title, { folder, now, environment, texts }) {
    const places = placesOf(folder)
    const plan = folder.names.includes(places.plan)
      ? folder.text(places.plan)
      : '%syntax-version=1.0.0\n%project=project\n\n'
    const project = /^%project=(\S+)/m.exec(plan)?.[1] ?? ''
    const planner = environment['SQITCH_FULLNAME'] ?? environment['USER'] ?? 'dbkit'
    const email = environment['SQITCH_EMAIL'] ?? `${environment['USER'] ?? 'dbkit'}@localhost`
    const moment = `${now.toISOString().slice(0, 19)}Z`
    const line = `${title} ${moment} ${planner} <${email}> # ${title.replaceAll('_', ' ')}\n`
    const script = (what: string, below: string, end: string, sql = '\n', together = true): NewFile => ({
      path: `${below}${title}.${places.extension}`,
      text:
        `-- ${what} ${project}:${title} ${what === 'Deploy' ? 'to' : what === 'Revert' ? 'from' : 'on'} pg\n\n` +
        (together ? `BEGIN;\n\n${sql}\n${end};\n` : sql),
    })
    return [
      script('Deploy', places.deploy, 'COMMIT', texts?.up, texts?.transaction.up),
      script('Revert', places.revert, 'COMMIT', texts?.down, texts?.transaction.down),
      script('Verify', places.verify, 'ROLLBACK'),
      {
        path: places.plan,
        text: (plan.endsWith('\n') ? plan : `${plan}\n`) + line,
        replaces: folder.names.includes(places.plan),
      },
    ]
  },
}

interface Places {
  readonly plan: string
  readonly deploy: string
  readonly revert: string
  readonly verify: string
  readonly extension: string
}

/** Where sqitch.conf says that the plan and the scripts are, as paths in the folder. */
function placesOf(folder: Folder): Places {
  const conf = folder.textAround('sqitch.conf') ?? ''
  const setting = (key: string): string | undefined =>
    new RegExp(String.raw`^[ \t]*${key}[ \t]*=[ \t]*"?([^"#;\r\n]*?)"?[ \t]*$`, 'm').exec(conf)?.[1]
  const top = (setting('top_dir') ?? '.')
    .replace(/^\.\/?/, '')
    .replace(/\/?$/, '/')
    .replace(/^\/$/, '')
  const plan =
    setting('plan_file')?.slice(setting('plan_file')?.startsWith(top) === true ? top.length : 0) ??
    'sqitch.plan'
  // The folder is either that of the configuration, or the one that the configuration calls its top.
  const below = folder.names.includes(top + plan) ? top : ''
  const at = (key: string, otherwise: string): string => {
    const written = (setting(key) ?? otherwise).replace(/^\.\//, '').replace(/\/?$/, '/')
    return below + (written.startsWith(top) ? written.slice(top.length) : written)
  }
  return {
    plan: below + plan,
    deploy: at('deploy_dir', 'deploy'),
    revert: at('revert_dir', 'revert'),
    verify: at('verify_dir', 'verify'),
    extension: setting('extension') ?? 'sql',
  }
}

const TAG = /^@([^\s@#]+)(?:\s|$)/
const CHANGE = /^(?:\+\s*)?([^\s%@#[\]]\S*)(?:\s+\[([^\]]*)\])?\s+\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s/

function parsePlan(
  folder: Folder,
  plan: string,
): {
  readonly changes: readonly { readonly version: string; readonly script: string }[]
  readonly problems: DbkitError[]
  readonly notes: string[]
} {
  const problems: DbkitError[] = []
  const notes: string[] = []
  const file = folder.show(plan)
  const project = /^%project=(\S+)/m.exec(folder.text(plan))?.[1]
  // A reworked change keeps its name; the older script moves to the tag that came before the rework.
  const changes: { name: string; instance: number; tag: string | undefined }[] = []
  for (const { text, line } of markersIn(folder.text(plan), /^\s*[^\s#%]/)) {
    const tag = TAG.exec(text.trim())?.[1]
    if (tag !== undefined) {
      for (const change of changes) change.tag ??= tag
      continue
    }
    const [, name, dependencies = ''] = CHANGE.exec(text.trim()) ?? []
    const bad = (why: string): void => {
      problems.push(
        problem(
          'layout.unreadable',
          { file, tool: 'sqitch', why },
          { location: { file, line, column: 1, excerpt: text } },
        ),
      )
    }
    if (name === undefined) {
      bad(`"${text.trim().slice(0, 60)}" is neither a change nor a tag`)
      continue
    }
    const earlier = changes.filter((change) => change.name === name)
    if (earlier.some((change) => change.tag === undefined))
      bad(`${name} stands there twice without a tag between`)
    for (const dependency of dependencies.split(/\s+/)) {
      const other = /^!?([^:\s]+):/.exec(dependency)?.[1]
      if (other !== undefined && other !== project)
        notes.push(`${name} depends on ${dependency}, of another project, which is not looked at`)
    }
    changes.push({ name, instance: earlier.length + 1, tag: undefined })
  }
  return {
    changes: changes.map(({ name, instance, tag }) => ({
      version: instance === 1 ? name : `${name}#${String(instance)}`,
      script: changes.some((other) => other.name === name && other.instance > instance)
        ? `${name}@${tag ?? ''}`
        : name,
    })),
    problems,
    notes,
  }
}
