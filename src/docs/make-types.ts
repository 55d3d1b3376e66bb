import { factsOf, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import type { Target, TypeDoc } from './docs.js'
import { domainValues } from './facts.js'
import type { Names } from './names.js'

/** Enums, domains, ranges and composite types; a shell has nothing to tell. */
export function makeTypes(catalog: Catalog, names: Names): readonly TypeDoc[] {
  const users = usersOfTypes(catalog, names)
  return [
    ...factsOf(catalog, 'type').flatMap((fact): TypeDoc[] => {
      const { form, labels, options } = fact.properties
      if (form === 'shell') return []
      return [
        {
          ...names.named(fact),
          form,
          values: labels,
          definition: options.map((option) => names.text(option)).join(', '),
          fields: partsOfKind(catalog, fact.key, 'column').map(({ name, properties }) => ({
            name,
            type: names.text(properties.type),
          })),
          usedBy: users.get(typeKey(fact)) ?? [],
          made: names.made(`type ${typeKey(fact)}`),
        },
      ]
    }),
    ...factsOf(catalog, 'domain').map((fact) => ({
      ...names.named(fact),
      form: 'domain' as const,
      values: domainValues(catalog, fact) ?? [],
      definition: [
        names.text(fact.properties.type),
        ...(fact.properties.notNull ? ['not null'] : []),
        ...(fact.properties.default === undefined ? [] : [`default ${names.text(fact.properties.default)}`]),
        ...partsOfKind(catalog, fact.key, 'constraint').map(({ properties }) =>
          names.text(properties.definition),
        ),
      ].join(' '),
      fields: [],
      usedBy: users.get(typeKey(fact)) ?? [],
      made: names.made(`type ${typeKey(fact)}`),
    })),
  ]
}

function typeKey({ schema, name }: FactOf<'type'> | FactOf<'domain'>): string {
  return `${schema ?? ''}.${name}`
}

function usersOfTypes(catalog: Catalog, names: Names): ReadonlyMap<string, readonly Target[]> {
  const users = new Map<string, Target[]>()
  for (const column of factsOf(catalog, 'column')) {
    const { schema, name } = column.details.typeRef
    if (schema === 'pg_catalog') continue
    const home = catalog.facts.get(column.parent ?? '')
    const target = home === undefined ? undefined : names.targetOf(home, column.name)
    if (target === undefined) continue
    const of = users.get(`${schema}.${name}`) ?? []
    users.set(`${schema}.${name}`, of)
    of.push(target)
  }
  return users
}
