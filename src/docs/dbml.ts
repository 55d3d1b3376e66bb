import type { ColumnDoc, Docs, ReferenceDoc, TableDoc, TypeDoc } from './docs.js'

/** The schema in DBML, which dbdiagram.io and others read: tables, enums, indexes, foreign keys, comments. Views have no place in it. */
export function renderDbml(docs: Docs): string {
  const parts = [
    `Project ${name(docs.database)} {\n  database_type: 'PostgreSQL'\n}`,
    ...docs.types.filter(({ form }) => form === 'enum').map((type) => renderEnum(type, docs)),
    ...docs.tables.map((table) => renderTable(table, docs)),
    ...docs.references.map((reference) => renderReference(reference, docs)),
  ]
  return `${parts.join('\n\n')}\n`
}

function renderEnum({ key, values, comment }: TypeDoc, docs: Docs): string {
  const about = comment === undefined ? [] : [`  // ${comment.replaceAll(/\s+/g, ' ')}`]
  return [`Enum ${qualified(key, docs)} {`, ...about, ...values.map((value) => `  ${name(value)}`), '}'].join(
    '\n',
  )
}

function renderTable(table: TableDoc, docs: Docs): string {
  const keys = table.constraints.filter(({ type }) => type === 'primary key' || type === 'unique')
  const single = new Set(
    keys
      .filter(({ columns }) => columns.length === 1)
      .map(({ columns, type }) => `${type} ${columns[0] ?? ''}`),
  )
  const indexes = [
    ...keys
      .filter(({ columns }) => columns.length > 1)
      .map(
        ({ columns, type, name: of }) =>
          `(${columns.map(name).join(', ')}) [${type === 'primary key' ? 'pk' : 'unique'}, name: ${text(of)}]`,
      ),
    ...table.indexes
      .filter(({ constraint }) => constraint === undefined)
      .flatMap(({ name: of, definition, unique }) => {
        const columns = / USING \w+ \(([\w, ]+)\)(?: WITH .*)?$/.exec(definition)?.[1]
        return columns === undefined
          ? []
          : [
              `(${columns
                .split(', ')
                .map((column) => name(column.replace(/ (?:ASC|DESC|NULLS|FIRST|LAST).*$/, '')))
                .join(', ')}) [${unique ? 'unique, ' : ''}name: ${text(of)}]`,
            ]
      }),
  ]
  return [
    `Table ${qualified(table.key, docs)} {`,
    ...table.columns.map((column) => `  ${renderColumn(column, single)}`),
    ...(indexes.length === 0 ? [] : ['', '  indexes {', ...indexes.map((index) => `    ${index}`), '  }']),
    ...(table.comment === undefined ? [] : ['', `  Note: ${text(table.comment)}`]),
    '}',
  ].join('\n')
}

function renderColumn(column: ColumnDoc, single: ReadonlySet<string>): string {
  const settings = [
    ...(single.has(`primary key ${column.name}`) ? ['pk'] : []),
    ...(column.notNull && !single.has(`primary key ${column.name}`) ? ['not null'] : []),
    ...(single.has(`unique ${column.name}`) ? ['unique'] : []),
    ...(column.identity === undefined ? [] : ['increment']),
    ...(column.default === undefined
      ? []
      : [`default: \`${column.default.replaceAll('`', "'").replaceAll(/\s+/g, ' ')}\``]),
    ...(column.comment === undefined ? [] : [`note: ${text(column.comment)}`]),
  ]
  const type = /^[\w.]+(?:\(\d+(?:,\d+)?\))?(?:\[\])?$/.test(column.type) ? column.type : name(column.type)
  return `${name(column.name)} ${type}${settings.length === 0 ? '' : ` [${settings.join(', ')}]`}`
}

function renderReference(reference: ReferenceDoc, docs: Docs): string {
  const side = (key: string, columns: readonly string[]): string =>
    `${qualified(key, docs)}.${columns.length === 1 ? name(columns[0] ?? '') : `(${columns.map(name).join(', ')})`}`
  const actions = [
    ...(reference.onDelete === undefined ? [] : [`delete: ${reference.onDelete}`]),
    ...(reference.onUpdate === undefined ? [] : [`update: ${reference.onUpdate}`]),
  ]
  return `Ref ${name(reference.name)}: ${side(reference.from, reference.columns)} ${reference.unique ? '-' : '>'} ${side(reference.to, reference.toColumns)}${actions.length === 0 ? '' : ` [${actions.join(', ')}]`}`
}

/** Of a key "table public.loads", without the default schema. */
function qualified(key: string, { defaultSchema }: Docs): string {
  const identity = key.slice(key.indexOf(' ', key.startsWith('foreign ') ? 'foreign '.length : 0) + 1)
  const [first = '', ...rest] = [...identity.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
  return (first === defaultSchema ? rest : [first, ...rest]).map(name).join('.')
}

/** Double quotes hold anything but themselves. */
function name(written: string): string {
  return /^[A-Za-z_]\w*$/.test(written) ? written : `"${written.replaceAll('"', "'")}"`
}

function text(written: string): string {
  const escaped = written.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `'${escaped.replaceAll(/\s*\r?\n\s*/g, ' ')}'`
}
