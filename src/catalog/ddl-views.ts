import { quoteIfNeeded } from '../database/quote.js'
import { partsOfKind, type Catalog, type FactOf } from './catalog.js'
import { change, create, enabledClause, literal, wholeOf, type Statement } from './ddl-statement.js'
import { small, storageOptions, withOptions } from './ddl-text.js'

export function viewStatements(view: FactOf<'view'>, catalog: Catalog): readonly Statement[] {
  const { definition, options } = view.properties
  const columns = partsOfKind(catalog, view.key, 'column')
  return [
    create(
      view,
      `create view ${view.identity}${withOptions(storageOptions(options))} as\n${indented(definition)}`,
      {
        creates: [view.key, ...columns.map(({ key }) => key)],
      },
    ),
    ...columns.flatMap(({ name, properties: { default: value } }) =>
      value === undefined
        ? []
        : [
            change(
              view,
              `alter view ${view.identity} alter column ${quoteIfNeeded(name)} set default ${small(value)}`,
            ),
          ],
    ),
  ]
}

export function materializedViewStatements(
  view: FactOf<'materialized view'>,
  catalog: Catalog,
): readonly Statement[] {
  const { definition, options, toastOptions, accessMethod, tablespace } = view.properties
  const columns = partsOfKind(catalog, view.key, 'column')
  const head = [
    `create materialized view ${view.identity}`,
    accessMethod === undefined ? '' : ` using ${quoteIfNeeded(accessMethod)}`,
    withOptions([...storageOptions(options), ...storageOptions(toastOptions, 'toast.')]),
    tablespace === undefined ? '' : ` tablespace ${quoteIfNeeded(tablespace)}`,
  ].join('')
  const data = view.details.populated ? '' : '\nwith no data'
  return [
    create(view, `${head} as\n${indented(definition)}${data}`, {
      creates: [view.key, ...columns.map(({ key }) => key)],
    }),
    ...columns.flatMap(({ name, properties: { storage, compression, statistics, options: own } }) =>
      [
        ...(storage === undefined ? [] : [`set storage ${storage}`]),
        ...(compression === undefined ? [] : [`set compression ${compression}`]),
        ...(statistics === undefined ? [] : [`set statistics ${String(statistics)}`]),
        ...(own.length === 0 ? [] : [`set (${storageOptions(own).join(', ')})`]),
      ].map((what) => change(view, `alter ${view.key} alter column ${quoteIfNeeded(name)} ${what}`)),
    ),
  ]
}

/** PostgreSQL puts a space before all lines but the first, which lost its own. */
function indented(definition: string): string {
  return small(definition).replace(/^(?=select\b|with\b|values\b|\()/, ' ')
}

export function triggerStatements(trigger: FactOf<'trigger'>): readonly Statement[] {
  const { definition, enabled, inherited } = trigger.properties
  const state = `alter table ${wholeOf(trigger)} ${enabledClause(enabled)} trigger ${quoteIfNeeded(trigger.name)}`
  if (inherited) return [create(trigger, state)]
  return [create(trigger, small(definition)), ...(enabled === 'origin' ? [] : [change(trigger, state)])]
}

export function ruleStatements(rule: FactOf<'rule'>): readonly Statement[] {
  const { definition, enabled } = rule.properties
  const state = `alter table ${wholeOf(rule)} ${enabledClause(enabled)} rule ${quoteIfNeeded(rule.name)}`
  return [create(rule, small(definition)), ...(enabled === 'origin' ? [] : [change(rule, state)])]
}

export function policyStatements(policy: FactOf<'policy'>): readonly Statement[] {
  const { command, permissive, roles, using, check } = policy.properties
  const clauses = [
    `create policy ${quoteIfNeeded(policy.name)} on ${wholeOf(policy)}`,
    ...(permissive ? [] : ['as restrictive']),
    ...(command === 'all' ? [] : [`for ${command}`]),
    ...(roles.length === 1 && roles[0] === 'public' ? [] : [`to ${roles.join(', ')}`]),
  ].join(' ')
  return [
    create(
      policy,
      clauses +
        (using === undefined ? '' : `\n  using (${small(using)})`) +
        (check === undefined ? '' : `\n  with check (${small(check)})`),
    ),
  ]
}

export function statisticsStatements(statistics: FactOf<'statistics'>): readonly Statement[] {
  const { definition, target } = statistics.properties
  return [
    create(statistics, small(definition)),
    ...(target === undefined
      ? []
      : [change(statistics, `alter ${statistics.key} set statistics ${String(target)}`)]),
  ]
}

export function eventTriggerStatements(trigger: FactOf<'event trigger'>): readonly Statement[] {
  const { event, tags, function: by, enabled } = trigger.properties
  const when = tags.length === 0 ? '' : ` when tag in (${tags.map(literal).join(', ')})`
  return [
    create(trigger, `create ${trigger.key} on ${event}${when} execute function ${by}()`),
    ...(enabled === 'origin' ? [] : [change(trigger, `alter ${trigger.key} ${enabledClause(enabled)}`)]),
  ]
}
