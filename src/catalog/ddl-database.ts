import { quoteIfNeeded } from '../database/quote.js'
import type { FactOf } from './catalog.js'
import { create, literal, type Statement } from './ddl-statement.js'
import { foreignOptions } from './ddl-text.js'

/** The schema public is in every database. */
export function schemaStatements(schema: FactOf<'schema'>): readonly Statement[] {
  return schema.name === 'public' ? [] : [create(schema, `create ${schema.key}`)]
}

export function extensionStatements(extension: FactOf<'extension'>): readonly Statement[] {
  const { schema } = extension.properties
  return [create(extension, `create ${extension.key} with schema ${quoteIfNeeded(schema)}`)]
}

export function languageStatements(language: FactOf<'language'>): readonly Statement[] {
  const { trusted, handler, inline, validator } = language.properties
  const clauses = [
    `create ${trusted ? 'trusted ' : ''}language ${language.identity}`,
    ...(handler === undefined ? [] : [`handler ${handler}`]),
    ...(inline === undefined ? [] : [`inline ${inline}`]),
    ...(validator === undefined ? [] : [`validator ${validator}`]),
  ]
  return [create(language, clauses.join(' '))]
}

export function accessMethodStatements(method: FactOf<'access method'>): readonly Statement[] {
  const { type, handler } = method.properties
  return [create(method, `create ${method.key} type ${type} handler ${handler}`)]
}

export function foreignDataWrapperStatements(wrapper: FactOf<'foreign data wrapper'>): readonly Statement[] {
  const { handler, validator, options } = wrapper.properties
  const clauses = [
    `create ${wrapper.key}`,
    ...(handler === undefined ? [] : [`handler ${handler}`]),
    ...(validator === undefined ? [] : [`validator ${validator}`]),
  ]
  return [create(wrapper, clauses.join(' ') + foreignOptions(options))]
}

export function serverStatements(server: FactOf<'server'>): readonly Statement[] {
  const { wrapper, type, version, options } = server.properties
  const clauses = [
    `create ${server.key}`,
    ...(type === undefined ? [] : [`type ${literal(type)}`]),
    ...(version === undefined ? [] : [`version ${literal(version)}`]),
    `foreign data wrapper ${quoteIfNeeded(wrapper)}`,
  ]
  return [create(server, clauses.join(' ') + foreignOptions(options))]
}

/** Without a password: that is set where it is known. */
export function userMappingStatements(mapping: FactOf<'user mapping'>): readonly Statement[] {
  return [create(mapping, `create ${mapping.key}${foreignOptions(mapping.properties.options)}`)]
}

export function publicationStatements(publication: FactOf<'publication'>): readonly Statement[] {
  const { allTables, publishes, viaPartitionRoot, generatedColumns, tables, schemas } = publication.properties
  const what = [
    ...(tables.length === 0 ? [] : [`table ${tables.join(', ')}`]),
    ...(schemas.length === 0 ? [] : [`tables in schema ${schemas.join(', ')}`]),
  ].join(', ')
  const options = [
    `publish = ${literal(publishes.join(', '))}`,
    ...(viaPartitionRoot ? ['publish_via_partition_root = true'] : []),
    ...(generatedColumns === undefined ? [] : [`publish_generated_columns = ${generatedColumns}`]),
  ]
  const subject = allTables ? ' for all tables' : what === '' ? '' : ` for ${what}`
  return [create(publication, `create ${publication.key}${subject} with (${options.join(', ')})`)]
}

/** It cannot be made again without its connection string, which is not kept: what is known of it stands here for people. */
export function subscriptionStatements(): readonly Statement[] {
  return []
}
