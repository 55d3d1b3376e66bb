import type { FactOf, Parameter } from '../catalog/catalog.js'
import { small } from '../catalog/ddl-text.js'
import { altered, ownerRule, remake, steps, tieRule } from './answers.js'
import type { Answer, Rule, Rules } from './rules.js'
import { alter } from './step.js'

type Routine = FactOf<'function'> | FactOf<'procedure'>

/** CREATE OR REPLACE, which keeps owner, rights, comment and whatever calls it; where PostgreSQL refuses that, the routine is made again. */
function replaced(before: Routine, after: Routine): Answer {
  if (!canReplace(before, after)) return { kind: 'remake' }
  return steps(alter(after, small(after.details.definition)))
}

/** A call that was right must stay right, and give the same columns. */
function canReplace(before: Routine, after: Routine): boolean {
  if (before.kind === 'function' && after.kind === 'function') {
    if (before.properties.returns !== after.properties.returns) return false
    if (before.properties.window !== after.properties.window) return false
  }
  const [old, now] = [before.details.parameters, after.details.parameters]
  return old.length === now.length && old.every((parameter, index) => isKept(parameter, now[index]))
}

function isKept(before: Parameter, after: Parameter | undefined): boolean {
  if (after?.mode !== before.mode) return false
  if (before.hasDefault && !after.hasDefault) return false
  return before.name === undefined || before.name === after.name
}

const replaceRule = (before: Routine, after: Routine): Answer => replaced(before, after)

const routineProperties = {
  arguments: replaceRule,
  language: replaceRule,
  body: replaceRule,
  library: replaceRule,
  securityDefiner: replaceRule,
  config: replaceRule,
  transforms: replaceRule,
  owner: ownerRule,
  extensions: tieRule,
} as const

const operatorOption =
  (name: 'restrict' | 'join'): Rule<'operator'> =>
  (_, after) =>
    altered(after, `set (${name} = ${after.properties[name] ?? 'none'})`)

/** Of what is called. */
export const routineRules = {
  function: {
    ...routineProperties,
    returns: replaceRule,
    window: replaceRule,
    strict: replaceRule,
    volatility: replaceRule,
    leakproof: replaceRule,
    parallel: replaceRule,
    cost: replaceRule,
    rows: replaceRule,
    support: replaceRule,
  },
  procedure: routineProperties,
  aggregate: { owner: ownerRule, arguments: remake, returns: remake, parallel: remake, options: remake },
  operator: {
    owner: ownerRule,
    function: remake,
    commutator: remake,
    negator: remake,
    restrict: operatorOption('restrict'),
    join: operatorOption('join'),
    hashes: remake,
    merges: remake,
  },
  'operator family': { owner: ownerRule, operators: familyRule, functions: familyRule },
  'operator class': {
    owner: ownerRule,
    type: remake,
    family: remake,
    default: remake,
    storage: remake,
    operators: remake,
    functions: remake,
  },
} satisfies Partial<Rules>

/** Members come and go one by one; that of an operator class is the class's. */
function familyRule(before: FactOf<'operator family'>, after: FactOf<'operator family'>): Answer {
  const members = ({ properties }: FactOf<'operator family'>): readonly string[] => [
    ...properties.operators.map((one) => `operator ${one}`),
    ...properties.functions.map((one) => `function ${one}`),
  ]
  const [old, now] = [members(before), members(after)]
  const gone = old.filter((one) => !now.includes(one)).map(withoutName)
  const come = now.filter((one) => !old.includes(one))
  return steps(
    ...(gone.length === 0
      ? []
      : [alter(after, `alter ${after.key} drop ${gone.join(', ')}`, { alters: [] })]),
    ...(come.length === 0
      ? []
      : [alter(after, `alter ${after.key} add ${come.join(', ')}`, { releases: [] })]),
  )
}

/** DROP names a member by its number and types: "operator 1 (integer, bigint)". */
function withoutName(member: string): string {
  const number = /^(operator|function) (\d+)/.exec(member)
  const types = /\(([^()]*)\)(?: [^()]*\([^()]*\))?$/.exec(member)
  return `${number?.[1] ?? ''} ${number?.[2] ?? ''} (${types?.[1] ?? ''})`
}
