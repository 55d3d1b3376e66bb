import { FIRST_USER_OID, notOfExtension, optional, query, sortedList, text, type RowsOf } from './query.js'
import { quoteIfNeeded } from '../../database/quote.js'
import { address, type Registry } from './registry.js'

export const FOREIGN_DATA_WRAPPERS = query(
  {
    oid: 'w.oid',
    name: 'w.fdwname',
    owner: 'pg_get_userbyid(w.fdwowner)',
    handler: 'nullif(w.fdwhandler, 0)::regproc::text',
    validator: 'nullif(w.fdwvalidator, 0)::regproc::text',
    options: 'array_to_json(w.fdwoptions)',
  },
  `from pg_foreign_data_wrapper w
   where w.oid >= ${FIRST_USER_OID} and ${notOfExtension('pg_foreign_data_wrapper', 'w.oid')}`,
)

export function addForeignDataWrappers(registry: Registry, rows: RowsOf<typeof FOREIGN_DATA_WRAPPERS>): void {
  for (const row of rows)
    registry.add(
      'foreign data wrapper',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          handler: optional(row.handler),
          validator: optional(row.validator),
          options: sortedList(row.options).map(withoutSecret),
        },
      },
      address('pg_foreign_data_wrapper', row.oid),
    )
}

export const SERVERS = query(
  {
    oid: 's.oid',
    name: 's.srvname',
    owner: 'pg_get_userbyid(s.srvowner)',
    wrapper: 'w.fdwname',
    type: 's.srvtype',
    version: 's.srvversion',
    options: 'array_to_json(s.srvoptions)',
  },
  `from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw
   where ${notOfExtension('pg_foreign_server', 's.oid')}`,
)

export function addServers(registry: Registry, rows: RowsOf<typeof SERVERS>): void {
  for (const row of rows)
    registry.add(
      'server',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          wrapper: text(row.wrapper),
          type: optional(row.type),
          version: optional(row.version),
          options: sortedList(row.options).map(withoutSecret),
        },
      },
      address('pg_foreign_server', row.oid),
    )
}

/** The view, because the table is for superusers only; it shows the options to those who may see them. */
export const USER_MAPPINGS = query(
  {
    oid: 'm.umid',
    server: 'm.srvid',
    serverName: 'm.srvname',
    user: `case m.umuser when 0 then 'public' else m.usename end`,
    options: 'array_to_json(m.umoptions)',
  },
  `from pg_user_mappings m where ${notOfExtension('pg_user_mapping', 'm.umid')}`,
)

export function addUserMappings(registry: Registry, rows: RowsOf<typeof USER_MAPPINGS>): void {
  for (const row of rows) {
    const identity = `for ${quoteIfNeeded(text(row.user))} server ${quoteIfNeeded(text(row.serverName))}`
    registry.add(
      'user mapping',
      {
        identity,
        schema: undefined,
        name: text(row.user),
        parent: registry.keyOf(address('pg_foreign_server', row.server)),
        properties: { options: sortedList(row.options).map(withoutSecret) },
      },
      address('pg_user_mapping', row.oid),
    )
  }
}

/** Neither a file nor a difference may show a password; that there is one stays known. */
function withoutSecret(option: string): string {
  return option.replace(/^([^=]*(?:passw|secret|token|passfile)[^=]*=).*$/is, '$1***')
}
