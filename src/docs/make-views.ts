import { factsOf, needsOf, partsOfKind, type Fact, type FactOf } from '../catalog/catalog.js'
import type { IndexDoc, Target, ViewDoc } from './docs.js'
import { indexCost } from './index-cost.js'
import type { DocsSource } from './make-docs.js'
import { mentionsOf, usesOf } from './make-routines.js'
import type { Names } from './names.js'

type ViewFact = FactOf<'view'> | FactOf<'materialized view'>

export function makeViews(source: DocsSource, names: Names): readonly ViewDoc[] {
  const { catalog } = source
  const mentioned = mentionsOf(catalog, names)
  return [...factsOf(catalog, 'view'), ...factsOf(catalog, 'materialized view')].map((fact) => {
    const plain = `${fact.schema ?? ''}.${fact.name}`
    const traced = new Map((source.lineage.get(plain) ?? []).map((column) => [column.column, column]))
    const columns = partsOfKind(catalog, fact.key, 'column').map((column) => {
      const lineage = traced.get(column.name)
      return {
        name: column.name,
        type: names.text(column.properties.type),
        comment: column.comment,
        sources: (lineage?.sources ?? []).flatMap(
          ({ schema, relation, column: from }) =>
            names.target(names.identityOf(schema, relation), from) ?? [],
        ),
        direct: lineage?.direct ?? false,
      }
    })
    const needed = needsOf(catalog, fact.key).flatMap(({ to }) => catalog.facts.get(to) ?? [])
    return {
      ...names.named(fact),
      kind: fact.kind,
      definition: names.text(fact.properties.definition),
      columns,
      indexes: indexesOf(source, names, fact),
      reads: distinct(
        needed
          .map((need) => homeOf(source, need))
          .flatMap((home) => (home === undefined ? [] : (names.targetOf(home, undefined) ?? []))),
      ),
      filters: filtersOf(
        source,
        names,
        needed,
        columns.flatMap(({ sources }) => sources),
      ),
      usedBy: [...usesOf(catalog, names, fact), ...(mentioned.get(fact.key) ?? [])],
      made: names.made(plain),
      events: names.eventsOf(plain) ?? [],
    }
  })
}

function homeOf({ catalog }: DocsSource, fact: Fact): Fact | undefined {
  return fact.kind === 'column' ? catalog.facts.get(fact.parent ?? '') : fact
}

/** What it reads and does not show: in WHERE, JOIN or GROUP BY. */
function filtersOf(
  source: DocsSource,
  names: Names,
  needed: readonly Fact[],
  shown: readonly Target[],
): readonly Target[] {
  const seen = new Set(shown.map(({ key, column }) => `${key} ${column ?? ''}`))
  return needed.flatMap((need) => {
    if (need.kind !== 'column') return []
    const home = homeOf(source, need)
    const target = home === undefined ? undefined : names.targetOf(home, need.name)
    return target === undefined || target.kind === 'view' || seen.has(`${target.key} ${need.name}`)
      ? []
      : [target]
  })
}

function indexesOf({ catalog, statistics }: DocsSource, names: Names, fact: ViewFact): readonly IndexDoc[] {
  return partsOfKind(catalog, fact.key, 'index').map((index) => {
    const plain = `${index.schema ?? ''}.${index.name}`
    const live = statistics?.indexes.get(plain)
    return {
      name: index.name,
      definition: names.text(index.properties.definition),
      unique: index.details.unique,
      comment: index.comment,
      constraint: undefined,
      cost: indexCost(index, live).replace(/^Written on .*?\./, 'Written anew by REFRESH MATERIALIZED VIEW.'),
      bytes: live?.bytes,
      scans: live?.scans,
      made: names.made(`index ${plain}`),
    }
  })
}

function distinct(targets: readonly Target[]): readonly Target[] {
  return [...new Map(targets.map((target) => [target.key, target])).values()].sort((a, b) =>
    a.label === b.label ? 0 : a.label < b.label ? -1 : 1,
  )
}
