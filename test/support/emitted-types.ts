import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Types as the compiler understands them; nothing here reads the text of a generated file. */
export interface EmittedTypes {
  /** Tables and views by their keys in Database. */
  readonly relations: ReadonlyMap<string, RelationTypes>
  /** What the compiler says of the file. */
  readonly errors: readonly string[]
  /** Whether a value is of a type. Throws for a type that it has no test for, so that none passes unlooked at. */
  admits(type: ts.Type, value: unknown): boolean
  text(type: ts.Type): string
  /** Of a primitive type with a mark, as string & { __brand }. */
  primitiveOf(type: ts.Type): ts.Type | undefined
  /** The members of a union, or the type itself. */
  members(type: ts.Type): readonly ts.Type[]
  /** A value of each form that a type may take, where a value can be made from the type alone. */
  documents(type: ts.Type): readonly unknown[]
  property(type: ts.Type, name: string): ts.Type | undefined
  elementOf(type: ts.Type): ts.Type | undefined
}

export interface RelationTypes {
  readonly read: ReadonlyMap<string, ts.Type>
  readonly insert: ReadonlyMap<string, { readonly type: ts.Type; readonly optional: boolean }>
  readonly update: ReadonlyMap<string, ts.Type>
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
}

/** Files of packages, parsed once for all programs of the same options: three megabytes of declarations a program. */
const parsed = new Map<string, ts.SourceFile | undefined>()

function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const key = JSON.stringify(options)
  const parse = host.getSourceFile.bind(host)
  host.getSourceFile = (name, how, ...rest) => {
    if (!name.includes('/node_modules/')) return parse(name, how, ...rest)
    const format = typeof how === 'object' ? String(how.impliedNodeFormat) : ''
    const one = `${key} ${format} ${name}`
    if (!parsed.has(one)) parsed.set(one, parse(name, how, ...rest))
    return parsed.get(one)
  }
  return host
}

/** Compiles programs where they find the packages of this checkout. What the compiler says of them, a line an error. */
export function compile(
  files: Readonly<Record<string, string>>,
  options: ts.CompilerOptions = {},
): {
  readonly program: ts.Program
  readonly errors: readonly string[]
  readonly file: (name: string) => string
} {
  mkdirSync(join(root, '.dbkit'), { recursive: true })
  const folder = mkdtempSync(join(root, '.dbkit', 'types-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const settings = { ...OPTIONS, ...options }
    const names = Object.keys(files).map((name) => join(folder, name))
    const program = ts.createProgram(names, settings, hostOf(settings))
    const errors = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const { file, start = 0 } = diagnostic
      const line =
        file === undefined
          ? ''
          : (file.text.split('\n')[file.getLineAndCharacterOfPosition(start).line] ?? '')
      return `${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')} in ${line.trim()}`
    })
    return { program, errors, file: (name) => join(folder, name) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the compiler makes of a generated file. */
export function typesOf(
  emitted: string | Readonly<Record<string, string>>,
  options: { readonly probe?: string; readonly lenient?: boolean } = {},
): EmittedTypes {
  const own = `import type { Insertable, Selectable, Updateable } from 'kysely'
import type { DB } from './emitted.js'
export type Read = { [K in keyof DB]: Selectable<DB[K]> }
export type Insert = { [K in keyof DB]: Insertable<DB[K]> }
export type Update = { [K in keyof DB]: Updateable<DB[K]> }
`
  const files = typeof emitted === 'string' ? { 'emitted.ts': emitted } : emitted
  const { program, errors, file } = compile(
    { ...files, 'probe.ts': options.probe ?? own },
    // Files of other tools are compiled as their users would.
    options.lenient === true
      ? {
          module: ts.ModuleKind.ESNext,
          moduleResolution: ts.ModuleResolutionKind.Bundler,
          exactOptionalPropertyTypes: false,
        }
      : {},
  )
  if (errors.length > 0 && options.lenient !== true) throw new Error(errors.join('\n'))
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file('probe.ts'))
  if (source === undefined) throw new Error('the probe was not compiled')
  const alias = (name: string): ts.Type => {
    const found = source.statements.find(
      (statement): statement is ts.TypeAliasDeclaration =>
        ts.isTypeAliasDeclaration(statement) && statement.name.text === name,
    )
    if (found === undefined) throw new Error(`no ${name}`)
    return checker.getTypeAtLocation(found.name)
  }
  const columns = (type: ts.Type, relation: string): readonly ts.Symbol[] => {
    const symbol = type.getProperty(relation)
    return symbol === undefined ? [] : checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol))
  }
  const [read, insert, update] = [alias('Read'), alias('Insert'), alias('Update')]
  const isOptional = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.Optional) !== 0
  const relations = new Map(
    read.getProperties().map((symbol) => {
      const of = (side: ts.Type) =>
        columns(side, symbol.name).map(
          (column) => [column.name, checker.getTypeOfSymbol(column), isOptional(column)] as const,
        )
      return [
        symbol.name,
        {
          read: new Map(of(read).map(([name, type]) => [name, type])),
          insert: new Map(of(insert).map(([name, type, optional]) => [name, { type, optional }])),
          update: new Map(of(update).map(([name, type]) => [name, type])),
        },
      ]
    }),
  )
  return { relations, errors, ...judge(checker) }
}

function judge(checker: ts.TypeChecker): Omit<EmittedTypes, 'relations' | 'errors'> {
  const text = (type: ts.Type): string =>
    checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation)
  const members = (type: ts.Type): readonly ts.Type[] => (type.isUnion() ? type.types : [type])
  const has = (type: ts.Type, flags: ts.TypeFlags): boolean => (type.flags & flags) !== 0
  const property = (type: ts.Type, name: string): ts.Type | undefined => {
    const symbol = checker.getPropertyOfType(type, name)
    return symbol === undefined ? undefined : checker.getTypeOfSymbol(symbol)
  }
  const elementOf = (type: ts.Type): ts.Type | undefined =>
    checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : undefined

  const primitiveOf = (type: ts.Type): ts.Type | undefined =>
    type.isIntersection()
      ? type.types.find((one) => has(one, ts.TypeFlags.String | ts.TypeFlags.Number | ts.TypeFlags.Boolean))
      : undefined

  function admits(type: ts.Type, value: unknown): boolean {
    if (type.isUnion()) return type.types.some((one) => admits(one, value))
    // Which tells nothing of any value.
    if (has(type, ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return false
    // A text with a mark that is there for the compiler only.
    const plain = primitiveOf(type)
    if (plain !== undefined) return admits(plain, value)
    if (type.isStringLiteral() || type.isNumberLiteral()) return value === type.value
    // Of an enum that was not written so that the compiler knows its value.
    if (has(type, ts.TypeFlags.Enum | ts.TypeFlags.EnumLiteral)) return false
    if (has(type, ts.TypeFlags.BooleanLiteral))
      return String(value) === text(type) && typeof value === 'boolean'
    if (has(type, ts.TypeFlags.String)) return typeof value === 'string'
    if (has(type, ts.TypeFlags.Number)) return typeof value === 'number'
    if (has(type, ts.TypeFlags.Null)) return value === null
    if (has(type, ts.TypeFlags.Undefined)) return value === undefined
    if (has(type, ts.TypeFlags.Never)) return false
    if (!has(type, ts.TypeFlags.Object)) throw new Error(`a value of type ${text(type)} cannot be checked`)
    const element = elementOf(type)
    if (element !== undefined) return Array.isArray(value) && value.every((one) => admits(element, one))
    // A Date of another realm, as jest makes them, is one all the same.
    if (type.symbol.name === 'Date') return Object.prototype.toString.call(value) === '[object Date]'
    if (type.symbol.name.startsWith('Buffer')) return Buffer.isBuffer(value)
    if (type.getCallSignatures().length > 0) return typeof value === 'function'
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const known = new Set<string>()
    for (const symbol of checker.getPropertiesOfType(type)) {
      known.add(symbol.name)
      const one = (value as Record<string, unknown>)[symbol.name]
      if (one === undefined && (symbol.flags & ts.SymbolFlags.Optional) !== 0) continue
      if (!admits(checker.getTypeOfSymbol(symbol), one)) return false
    }
    const others = checker.getIndexInfoOfType(type, ts.IndexKind.String)?.type
    return Object.entries(value).every(
      ([key, one]) => known.has(key) || others === undefined || admits(others, one),
    )
  }

  function documents(type: ts.Type, depth = 0): readonly unknown[] {
    if (type.isUnion())
      return depth > 2
        ? documents(type.types[0] as ts.Type, depth)
        : type.types.flatMap((one) => documents(one, depth + 1))
    if (type.isStringLiteral() || type.isNumberLiteral()) return [type.value]
    if (has(type, ts.TypeFlags.BooleanLiteral)) return [text(type) === 'true']
    if (has(type, ts.TypeFlags.String)) return ['a \'word\' \\ "q"']
    if (has(type, ts.TypeFlags.Number)) return [1.5]
    if (has(type, ts.TypeFlags.Null)) return [null]
    if (has(type, ts.TypeFlags.Undefined | ts.TypeFlags.Enum | ts.TypeFlags.EnumLiteral)) return []
    if (!has(type, ts.TypeFlags.Object)) throw new Error(`no document of type ${text(type)}`)
    const element = elementOf(type)
    if (element !== undefined) return depth > 4 ? [[]] : [[], [...documents(element, depth + 1)]]
    const [full, least]: Record<string, unknown>[] = [{}, {}]
    for (const symbol of checker.getPropertiesOfType(type)) {
      const [first] = documents(checker.getTypeOfSymbol(symbol), depth + 1)
      if (first === undefined) continue
      if (full !== undefined) full[symbol.name] = first
      if (least !== undefined && (symbol.flags & ts.SymbolFlags.Optional) === 0) least[symbol.name] = first
    }
    return [full, least]
  }

  return { admits, text, primitiveOf, members, documents: (type) => documents(type), property, elementOf }
}

/** A value as an expression of TypeScript, for the compiler to check it against a type. */
export function expressionOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(expressionOf).join(', ')}]`
  if (Buffer.isBuffer(value)) return `Buffer.from('${value.toString('hex')}', 'hex')`
  if (Object.prototype.toString.call(value) === '[object Date]')
    return `new Date(${String((value as Date).getTime())})`
  if (typeof value === 'function') return '() => ""'
  const members = Object.entries(value as object).map(
    ([key, one]) => `${JSON.stringify(key)}: ${expressionOf(one)}`,
  )
  const text = `{ ${members.join(', ')} }`
  // An interval has its methods in its prototype.
  return 'toPostgres' in (value as object) ? `interval(${text})` : text
}
