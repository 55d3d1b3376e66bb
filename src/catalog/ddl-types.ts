import { quoteIfNeeded } from '../database/quote.js'
import { needsOf, partsOfKind, type Catalog, type FactOf } from './catalog.js'
import { constraintClause } from './ddl-constraints.js'
import { completeMark, create, change, literal, type Statement } from './ddl-statement.js'
import { block, small } from './ddl-text.js'

export function typeStatements(type: FactOf<'type'>, catalog: Catalog): readonly Statement[] {
  const { form, labels, options } = type.properties
  const head = `create type ${type.identity}`
  switch (form) {
    case 'enum':
      return [create(type, `${head} as enum ${block(labels.map(literal))}`)]
    case 'composite': {
      const attributes = partsOfKind(catalog, type.key, 'column')
      const lines = attributes.map(({ name, properties }) =>
        [quoteIfNeeded(name), properties.type, ...collate(properties.collation)].join(' '),
      )
      return [
        create(type, `${head} as ${block(lines)}`, {
          creates: [type.key, ...attributes.map(({ key }) => key)],
        }),
      ]
    }
    case 'range':
      return [create(type, `${head} as range ${block(options)}`)]
    case 'shell':
      return [create(type, head)]
    case 'base': {
      // Its functions need its name, and it needs its functions.
      const functions = needsOf(catalog, type.key).map(({ to }) => to)
      return [
        create(type, head, { notYet: functions.filter((key) => key.startsWith('function ')) }),
        change(type, `${head} ${block(options)}`, { creates: [completeMark(type.key)], needs: functions }),
      ]
    }
  }
}

function collate(collation: string | undefined): readonly string[] {
  return collation === undefined ? [] : [`collate ${collation}`]
}

export function domainStatements(domain: FactOf<'domain'>, catalog: Catalog): readonly Statement[] {
  const { type, collation, notNull, default: value } = domain.properties
  const checks = partsOfKind(catalog, domain.key, 'constraint').filter(
    ({ properties }) => properties.validated,
  )
  const clauses = [
    `create domain ${domain.identity} as ${[type, ...collate(collation)].join(' ')}`,
    ...(value === undefined ? [] : [`default ${small(value)}`]),
    ...(notNull ? ['not null'] : []),
    ...checks.map((check) => constraintClause(check, catalog)),
  ]
  return [create(domain, clauses.join('\n  '), { creates: [domain.key, ...checks.map(({ key }) => key)] })]
}

export function collationStatements(collation: FactOf<'collation'>): readonly Statement[] {
  const { provider, deterministic, locale, lcCollate, lcCtype, rules } = collation.properties
  const options = [
    `provider = ${provider}`,
    ...(locale === undefined ? [] : [`locale = ${literal(locale)}`]),
    ...(lcCollate === undefined ? [] : [`lc_collate = ${literal(lcCollate)}`]),
    ...(lcCtype === undefined ? [] : [`lc_ctype = ${literal(lcCtype)}`]),
    ...(deterministic ? [] : ['deterministic = false']),
    ...(rules === undefined ? [] : [`rules = ${literal(rules)}`]),
  ]
  return [create(collation, `create collation ${collation.identity} (${options.join(', ')})`)]
}

export function conversionStatements(conversion: FactOf<'conversion'>): readonly Statement[] {
  const { from, to, function: by, default: isDefault } = conversion.properties
  const head = `create ${isDefault ? 'default ' : ''}conversion ${conversion.identity}`
  return [create(conversion, `${head} for ${literal(from)} to ${literal(to)} from ${by}`)]
}

export function castStatements(cast: FactOf<'cast'>): readonly Statement[] {
  const { method, context } = cast.properties
  const by =
    method === 'inout' ? 'with inout' : method === 'without function' ? method : `with function ${method}`
  const as = context === 'explicit' ? '' : ` as ${context}`
  return [create(cast, `create cast ${cast.identity} ${by}${as}`)]
}

export function transformStatements(transform: FactOf<'transform'>): readonly Statement[] {
  const { fromSql, toSql } = transform.properties
  const by = [
    ...(fromSql === undefined ? [] : [`from sql with function ${fromSql}`]),
    ...(toSql === undefined ? [] : [`to sql with function ${toSql}`]),
  ]
  return [create(transform, `create transform ${transform.identity} (${by.join(', ')})`)]
}

export function operatorStatements(operator: FactOf<'operator'>): readonly Statement[] {
  const { function: by, commutator, negator, restrict, join, hashes, merges } = operator.properties
  const at = operator.identity.lastIndexOf('(')
  const [left = '', right = ''] = operatorTypes(operator.identity.slice(at + 1, -1))
  const options = [
    `function = ${by}`,
    ...(left === 'none' ? [] : [`leftarg = ${left}`]),
    ...(right === 'none' ? [] : [`rightarg = ${right}`]),
    ...(commutator === undefined ? [] : [`commutator = operator(${commutator})`]),
    ...(negator === undefined ? [] : [`negator = operator(${negator})`]),
    ...(restrict === undefined ? [] : [`restrict = ${restrict}`]),
    ...(join === undefined ? [] : [`join = ${join}`]),
    ...(hashes ? ['hashes'] : []),
    ...(merges ? ['merges'] : []),
  ]
  return [create(operator, `create operator ${operator.identity.slice(0, at)} ${block(options)}`)]
}

/** Neither type has a comma of its own: an operator's types are without modifiers. */
function operatorTypes(list: string): readonly string[] {
  return list.split(', ')
}

export function operatorFamilyStatements(family: FactOf<'operator family'>): readonly Statement[] {
  const { operators, functions } = family.properties
  const members = [...operators.map((one) => `operator ${one}`), ...functions.map((one) => `function ${one}`)]
  return [
    create(family, `create ${family.key}`),
    ...(members.length === 0 ? [] : [change(family, `alter ${family.key} add\n  ${members.join(',\n  ')}`)]),
  ]
}

export function operatorClassStatements(operatorClass: FactOf<'operator class'>): readonly Statement[] {
  const { type, family, default: isDefault, storage, operators, functions } = operatorClass.properties
  const [name = '', method = ''] = splitAtUsing(operatorClass.identity)
  const members = [
    ...operators.map((one) => `operator ${one}`),
    ...functions.map((one) => `function ${one}`),
    ...(storage === undefined ? [] : [`storage ${storage}`]),
  ]
  const head = `create operator class ${name}${isDefault ? ' default' : ''} for type ${type} using ${method} family ${family}`
  // One without members says again what is stored.
  const body = members.length === 0 ? [`storage ${type}`] : members
  return [create(operatorClass, `${head} as\n  ${body.join(',\n  ')}`)]
}

function splitAtUsing(identity: string): readonly string[] {
  const at = identity.lastIndexOf(' using ')
  return [identity.slice(0, at), identity.slice(at + ' using '.length)]
}

export function textSearchConfigurationStatements(
  configuration: FactOf<'text search configuration'>,
): readonly Statement[] {
  const { parser, mappings } = configuration.properties
  return [
    create(configuration, `create ${configuration.key} (parser = ${parser})`),
    ...mappings.map((mapping) => {
      const at = mapping.indexOf(': ')
      const [token, dictionaries] = [mapping.slice(0, at), mapping.slice(at + 2)]
      return change(configuration, `alter ${configuration.key} add mapping for ${token} with ${dictionaries}`)
    }),
  ]
}

export function textSearchDictionaryStatements(
  dictionary: FactOf<'text search dictionary'>,
): readonly Statement[] {
  const { template, options } = dictionary.properties
  const more = options === undefined ? '' : `, ${options}`
  return [create(dictionary, `create ${dictionary.key} (template = ${template}${more})`)]
}

export function textSearchParserStatements(parser: FactOf<'text search parser'>): readonly Statement[] {
  const { start, token, end, headline, lexTypes } = parser.properties
  const options = [
    `start = ${start}`,
    `gettoken = ${token}`,
    `end = ${end}`,
    ...(headline === undefined ? [] : [`headline = ${headline}`]),
    `lextypes = ${lexTypes}`,
  ]
  return [create(parser, `create ${parser.key} (${options.join(', ')})`)]
}

export function textSearchTemplateStatements(template: FactOf<'text search template'>): readonly Statement[] {
  const { init, lexize } = template.properties
  const options = [...(init === undefined ? [] : [`init = ${init}`]), `lexize = ${lexize}`]
  return [create(template, `create ${template.key} (${options.join(', ')})`)]
}
