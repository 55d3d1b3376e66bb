import type { EnabledState } from '../catalog.js'
import {
  flag,
  FIRST_USER_OID,
  inUserSchema,
  notOfExtension,
  optional,
  query,
  sortedList,
  text,
  word,
  type RowsOf,
} from './query.js'
import { address, within, type Registry } from './registry.js'

const ENABLED = { O: 'origin', D: 'disabled', R: 'replica', A: 'always' } as const satisfies Record<
  string,
  EnabledState
>

/**
 * A partition's copy of a trigger follows from the partitioned table's own, unless it is enabled otherwise. What PostgreSQL makes
 * for a foreign key is a part of that constraint.
 */
export const TRIGGERS = query(
  {
    oid: 'g.oid',
    table: 'g.tgrelid',
    name: 'g.tgname',
    definition: 'pg_get_triggerdef(g.oid)',
    enabled: 'g.tgenabled',
    function: 'g.tgfoid::regprocedure::text',
    inherited: 'g.tgparentid <> 0',
  },
  `from pg_trigger g join pg_class c on c.oid = g.tgrelid
   join pg_namespace n on n.oid = c.relnamespace
   left join pg_trigger u on u.oid = g.tgparentid
   where case when g.tgparentid = 0 then not g.tgisinternal else g.tgenabled <> u.tgenabled end
     and not exists (select from pg_constraint k where k.oid = g.tgconstraint and k.contype = 'f')
     and ${inUserSchema()} and ${notOfExtension('pg_trigger', 'g.oid')} and ${notOfExtension('pg_class', 'c.oid')}`,
)

export function addTriggers(registry: Registry, rows: RowsOf<typeof TRIGGERS>): void {
  for (const row of rows) {
    const table = registry.find(address('pg_class', row.table))
    if (table === undefined) continue
    const object = address('pg_trigger', row.oid)
    registry.add(
      'trigger',
      {
        identity: within(table.identity, text(row.name)),
        schema: table.schema,
        name: text(row.name),
        parent: table.key,
        properties: {
          definition: text(row.definition),
          enabled: word(ENABLED, row.enabled),
          inherited: flag(row.inherited),
          extensions: registry.extensionsOf(object),
        },
        details: { function: text(row.function) },
      },
      object,
    )
  }
}

export const EVENT_TRIGGERS = query(
  {
    oid: 'v.oid',
    name: 'v.evtname',
    owner: 'pg_get_userbyid(v.evtowner)',
    event: 'v.evtevent',
    tags: 'array_to_json(v.evttags)',
    function: 'v.evtfoid::regproc::text',
    enabled: 'v.evtenabled',
  },
  `from pg_event_trigger v where v.oid >= ${FIRST_USER_OID} and ${notOfExtension('pg_event_trigger', 'v.oid')}`,
)

export function addEventTriggers(registry: Registry, rows: RowsOf<typeof EVENT_TRIGGERS>): void {
  for (const row of rows)
    registry.add(
      'event trigger',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          event: text(row.event),
          tags: sortedList(row.tags),
          function: text(row.function),
          enabled: word(ENABLED, row.enabled),
        },
      },
      address('pg_event_trigger', row.oid),
    )
}

/** The rule that makes a view a view is the view. */
export const RULES = query(
  {
    oid: 'r.oid',
    table: 'r.ev_class',
    name: 'r.rulename',
    definition: `case when r.rulename <> '_RETURN' then pg_get_ruledef(r.oid) end`,
    enabled: 'r.ev_enabled',
  },
  `from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_class', 'c.oid')}`,
)

export function addRules(registry: Registry, rows: RowsOf<typeof RULES>): void {
  for (const row of rows) {
    const table = registry.find(address('pg_class', row.table))
    if (table === undefined) continue
    const object = address('pg_rewrite', row.oid)
    if (row.definition === null) registry.partOf(object, table.key)
    else
      registry.add(
        'rule',
        {
          identity: within(table.identity, text(row.name)),
          schema: table.schema,
          name: text(row.name),
          parent: table.key,
          properties: {
            definition: row.definition.replace(/;$/, ''),
            enabled: word(ENABLED, row.enabled),
          },
        },
        object,
      )
  }
}

/** Also on the tables of an extension: those are the user's own. */
export const POLICIES = query(
  {
    oid: 'p.oid',
    table: 'p.polrelid',
    tableSchema: 'n.nspname',
    tableName: 'c.relname',
    name: 'p.polname',
    command: 'p.polcmd',
    permissive: 'p.polpermissive',
    roles: `(select json_agg(case r.oid when 0 then 'public' else quote_ident(pg_get_userbyid(r.oid)) end)
        from unnest(p.polroles) r(oid))`,
    using: 'pg_get_expr(p.polqual, p.polrelid)',
    check: 'pg_get_expr(p.polwithcheck, p.polrelid)',
  },
  `from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
   where ${inUserSchema()}`,
)

const COMMANDS = { '*': 'all', r: 'select', a: 'insert', w: 'update', d: 'delete' } as const

export function addPolicies(registry: Registry, rows: RowsOf<typeof POLICIES>): void {
  for (const row of rows) {
    const object = address('pg_class', row.table)
    if (registry.isLeftOut(object)) continue
    registry.add(
      'policy',
      {
        identity: within(
          registry.identityOf(object) ?? within(text(row.tableSchema), text(row.tableName)),
          text(row.name),
        ),
        schema: text(row.tableSchema),
        name: text(row.name),
        parent: registry.keyOf(object),
        properties: {
          command: word(COMMANDS, row.command),
          permissive: flag(row.permissive),
          roles: sortedList(row.roles),
          using: optional(row.using),
          check: optional(row.check),
        },
      },
      address('pg_policy', row.oid),
    )
  }
}

/** CREATE STATISTICS. */
export const STATISTICS = query(
  {
    oid: 's.oid',
    table: 's.stxrelid',
    schema: 'n.nspname',
    name: 's.stxname',
    owner: 'pg_get_userbyid(s.stxowner)',
    definition: 'pg_get_statisticsobjdef(s.oid)',
    target: 'nullif(s.stxstattarget, -1)',
  },
  `from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_statistic_ext', 's.oid')}`,
)

export function addStatistics(registry: Registry, rows: RowsOf<typeof STATISTICS>): void {
  for (const row of rows) {
    const table = registry.find(address('pg_class', row.table))
    if (table === undefined) continue
    registry.add(
      'statistics',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        parent: table.key,
        properties: {
          owner: registry.ownerName(row.owner),
          definition: text(row.definition),
          target: row.target === null ? undefined : Number(row.target),
        },
      },
      address('pg_statistic_ext', row.oid),
    )
  }
}
