import {
  isNode,
  isTrue,
  listAt,
  nodeAt,
  nodesAt,
  numberAt,
  textAt,
  type Node,
  type Value,
} from './node-tree.js'
import { isTotalAggregate, isTotalFunction, isTotalOperator, type RoutineFacts } from './total-functions.js'

/**
 * Which columns of a query can be NULL, from the tree that PostgreSQL keeps of it. Only what follows from the tree is said to be not null;
 * whatever is not known here may be null. Which joins can leave a column empty is read off the tree of joins, so it does not need
 * what only PostgreSQL 16 and later note at each variable.
 */
export interface Proven {
  readonly notNull: boolean
  /** The column of a relation that is shown unchanged. */
  readonly origin: { readonly relation: string; readonly column: number } | undefined
  /** The only texts that the expression can give (beside NULL). */
  readonly texts: readonly string[] | undefined
}

/** What the proof may ask about the database. */
export interface Surroundings {
  /** Of a column of a table: NOT NULL, enforced for every row. Of a view: proven. */
  readonly columnOf: (relation: string, column: number) => Proven
  /** Undefined for what is not PostgreSQL's own. */
  readonly routine: (oid: string) => RoutineFacts | undefined
  readonly operator: (oid: string) => string | undefined
}

const UNKNOWN: Proven = { notNull: false, origin: undefined, texts: undefined }
const SURE: Proven = { ...UNKNOWN, notNull: true }

/** The output columns of a query, in their order. */
export function proveQuery(query: Node, surroundings: Surroundings): readonly Proven[] {
  return new Scope(query, undefined, surroundings).outputs()
}

/** An expression over the columns of one table, as that of a generated column. */
export function proveExpression(expression: Value, relation: string, surroundings: Surroundings): boolean {
  if (!isNode(expression)) return false
  const entry: Node = { tag: 'RANGETBLENTRY', fields: { rtekind: '0', relid: relation } }
  const query: Node = { tag: 'QUERY', fields: { rtable: [entry] } }
  return new Scope(query, undefined, surroundings).isNotNull(expression)
}

/** PostgreSQL's numbers for what a query reads from. */
const RTE = { relation: 0, subquery: 1, join: 2, function: 3, values: 5, cte: 6, group: 9 } as const
const JOIN = { inner: 0, left: 1, full: 2, right: 3 } as const

/** A join that may add rows of NULLs, and what is empty in them. */
interface OuterJoin {
  readonly sides: readonly (readonly number[])[]
  /** Left and right joins: what holds for their rows once they are known to add none. */
  readonly condition: Node | undefined
}

class Scope {
  private readonly query: Node
  private readonly parent: Scope | undefined
  private readonly around: Surroundings
  private readonly entries: readonly Node[]
  /** Joins that can empty an entry, by its number. */
  private readonly emptiedBy = new Map<number, Set<OuterJoin>>()
  /** "entry.column" of variables without which no row would be there. */
  private readonly required = new Set<string>()
  private readonly grouped: boolean
  private readonly groupingSets: boolean
  private readonly ofSubquery = new Map<number, readonly Proven[]>()
  private readonly ofCte = new Map<string, readonly Proven[]>()

  constructor(query: Node, parent: Scope | undefined, around: Surroundings) {
    this.query = query
    this.parent = parent
    this.around = around
    this.entries = nodesAt(query, 'rtable')
    this.groupingSets = listAt(query, 'groupingSets').length > 0
    this.grouped = listAt(query, 'groupClause').length > 0 && !this.groupingSets
    this.readJoins()
  }

  outputs(): readonly Proven[] {
    const operation = nodeAt(this.query, 'setOperations')
    const targets = nodesAt(this.query, 'targetList').filter((target) => !isTrue(target, 'resjunk'))
    if (operation !== undefined) return this.ofOperation(operation, targets.length)
    const groupRefs = new Set(
      nodesAt(this.query, 'groupClause').map((clause) => textAt(clause, 'tleSortGroupRef')),
    )
    return targets.map((target) => {
      const expression = nodeAt(target, 'expr')
      if (expression === undefined) return UNKNOWN
      if (!this.groupingSets) return this.prove(expression)
      // A grouping set empties whatever is grouped by, be it a part of the expression.
      const emptied = groupRefs.has(textAt(target, 'ressortgroupref'))
      return !emptied && this.survivesGroupingSets(expression) ? SURE : UNKNOWN
    })
  }

  private survivesGroupingSets(expression: Node): boolean {
    if (expression.tag === 'GROUPINGFUNC') return true
    if (expression.tag === 'CONST') return !isTrue(expression, 'constisnull')
    if (expression.tag === 'AGGREF') return this.aggregate(expression)
    return (
      expression.tag === 'COALESCEEXPR' &&
      nodesAt(expression, 'args').some((argument) => this.survivesGroupingSets(argument))
    )
  }

  private ofOperation(operation: Node, width: number): readonly Proven[] {
    const arm = (field: string): readonly Proven[] => {
      const node = nodeAt(operation, field)
      if (node === undefined) return Array.from({ length: width }, () => UNKNOWN)
      if (node.tag === 'RANGETBLREF') return this.subquery(numberAt(node, 'rtindex'))
      return new SetOperation(this, node).outputs(width)
    }
    return combine(numberAt(operation, 'op'), arm('larg'), arm('rarg'))
  }

  /** For the nested operations of one query, which share its entries. */
  operation(node: Node, width: number): readonly Proven[] {
    return this.ofOperation(node, width)
  }

  // ---- joins

  private readJoins(): void {
    const tree = nodeAt(this.query, 'jointree')
    if (tree !== undefined) this.readJoin(tree, true)
    const having = nodeAt(this.query, 'havingQual')
    if (having !== undefined && !this.groupingSets) this.require(having)
  }

  /** The entries below a node. `kept`: its rows are those of the query, nothing above empties them. */
  private readJoin(node: Node, kept: boolean): readonly number[] {
    switch (node.tag) {
      case 'RANGETBLREF':
        return [numberAt(node, 'rtindex')]
      case 'FROMEXPR': {
        const below = nodesAt(node, 'fromlist').flatMap((item) => this.readJoin(item, kept))
        const quals = nodeAt(node, 'quals')
        if (kept && quals !== undefined) this.require(quals)
        return below
      }
      case 'JOINEXPR': {
        const [left, right] = [nodeAt(node, 'larg'), nodeAt(node, 'rarg')]
        const type = numberAt(node, 'jointype')
        const [emptiesLeft, emptiesRight] = [
          type === JOIN.right || type === JOIN.full,
          type === JOIN.left || type === JOIN.full,
        ]
        const known = type === JOIN.inner || emptiesLeft || emptiesRight
        const ofLeft = left === undefined ? [] : this.readJoin(left, kept && !emptiesLeft && known)
        const ofRight = right === undefined ? [] : this.readJoin(right, kept && !emptiesRight && known)
        const condition = nodeAt(node, 'quals')
        if (type === JOIN.inner) {
          if (kept && condition !== undefined) this.require(condition)
        } else {
          const sides = [
            ...(emptiesLeft || !known ? [ofLeft] : []),
            ...(emptiesRight || !known ? [ofRight] : []),
          ]
          // Once nothing is emptied by a join that is itself kept, its condition holds for every row.
          const join = { sides, condition: kept && type !== JOIN.full && known ? condition : undefined }
          for (const entry of sides.flat()) {
            const joins = this.emptiedBy.get(entry) ?? new Set()
            joins.add(join)
            this.emptiedBy.set(entry, joins)
          }
        }
        return [...ofLeft, ...ofRight, numberAt(node, 'rtindex')]
      }
      default:
        return []
    }
  }

  /** A condition holds for every row: what it needs is not null, and what needs not be null is not emptied. */
  private require(condition: Node): void {
    for (const key of this.neededToBeTrue(condition)) this.requireVariable(key)
  }

  private requireVariable(key: string): void {
    if (this.required.has(key)) return
    this.required.add(key)
    const entry = Number(key.split('.')[0])
    for (const join of [...(this.emptiedBy.get(entry) ?? [])]) this.proveJoin(join, entry)
  }

  private proveJoin(join: OuterJoin, entry: number): void {
    // Of a full join only the side that is seen to be there is never emptied.
    for (const side of join.sides)
      if (side.includes(entry)) for (const other of side) this.emptiedBy.get(other)?.delete(join)
    if (join.condition !== undefined) this.require(join.condition)
  }

  /** Variables that are not null whenever the condition is true. */
  private neededToBeTrue(condition: Node): ReadonlySet<string> {
    const args = nodesAt(condition, 'args')
    switch (condition.tag) {
      case 'BOOLEXPR':
        switch (textAt(condition, 'boolop')) {
          case 'and':
            return new Set(args.flatMap((argument) => [...this.neededToBeTrue(argument)]))
          case 'or':
            return intersect(args.map((argument) => this.neededToBeTrue(argument)))
          default:
            return this.neededToBeKnown(condition)
        }
      case 'NULLTEST': {
        const argument = nodeAt(condition, 'arg')
        const isNotNull = numberAt(condition, 'nulltesttype') === 1 && !isTrue(condition, 'argisrow')
        return isNotNull && argument !== undefined ? this.neededToBeKnown(argument) : new Set()
      }
      case 'BOOLEANTEST': {
        const argument = nodeAt(condition, 'arg')
        const test = numberAt(condition, 'booltesttype')
        if (argument === undefined) return new Set()
        // IS TRUE says as much as the condition itself; IS FALSE and IS NOT UNKNOWN that it is known.
        if (test === 0) return this.neededToBeTrue(argument)
        return test === 2 || test === 5 ? this.neededToBeKnown(argument) : new Set()
      }
      case 'SCALARARRAYOPEXPR': {
        // x = ANY (...) is true only for an x that is compared.
        const [scalar] = args
        return isTrue(condition, 'useOr') &&
          this.isStrict(textAt(condition, 'opfuncid')) &&
          scalar !== undefined
          ? this.neededToBeKnown(scalar)
          : this.neededToBeKnown(condition)
      }
      default:
        return this.neededToBeKnown(condition)
    }
  }

  /** Variables that are not null whenever the expression is not null. */
  private neededToBeKnown(expression: Node): ReadonlySet<string> {
    const args = nodesAt(expression, 'args')
    const all = (nodes: readonly Node[]): ReadonlySet<string> =>
      new Set(nodes.flatMap((node) => [...this.neededToBeKnown(node)]))
    switch (expression.tag) {
      case 'VAR': {
        const key = this.keyOf(expression)
        return new Set(key === undefined ? [] : [key])
      }
      case 'OPEXPR':
        return this.isStrict(textAt(expression, 'opfuncid')) ? all(args) : new Set()
      case 'FUNCEXPR':
        return this.isStrict(textAt(expression, 'funcid')) && !isTrue(expression, 'funcretset')
          ? all(args)
          : new Set()
      case 'SCALARARRAYOPEXPR': {
        // Over an empty array it is known whatever is compared.
        const [scalar, array] = args
        const isFull = array?.tag === 'ARRAYEXPR' && listAt(array, 'elements').length > 0
        return scalar !== undefined && isFull && this.isStrict(textAt(expression, 'opfuncid'))
          ? this.neededToBeKnown(scalar)
          : new Set()
      }
      case 'BOOLEXPR':
        return textAt(expression, 'boolop') === 'not' ? all(args) : new Set()
      case 'RELABELTYPE':
      case 'COERCEVIAIO':
      case 'COERCETODOMAIN':
      case 'COLLATEEXPR':
      case 'ARRAYCOERCEEXPR': {
        const argument = nodeAt(expression, 'arg')
        return argument === undefined ? new Set() : this.neededToBeKnown(argument)
      }
      default:
        return new Set()
    }
  }

  private isStrict(routine: string): boolean {
    return this.around.routine(routine)?.strict === true
  }

  // ---- variables

  /** Through the aliases of joins and the entry that PostgreSQL 18 makes for GROUP BY, to what a variable stands for. */
  private resolve(variable: Node): Node {
    if (variable.tag !== 'VAR' || numberAt(variable, 'varlevelsup') !== 0) return variable
    const entry = this.entries[numberAt(variable, 'varno') - 1]
    const kind = entry === undefined ? -1 : numberAt(entry, 'rtekind')
    if (entry === undefined || (kind !== RTE.join && kind !== RTE.group)) return variable
    const list = listAt(entry, kind === RTE.join ? 'joinaliasvars' : 'groupexprs')
    const target = list[numberAt(variable, 'varattno') - 1]
    return isNode(target) ? this.resolve(target) : variable
  }

  private keyOf(variable: Node): string | undefined {
    const target = this.resolve(variable)
    if (target.tag !== 'VAR' || numberAt(target, 'varlevelsup') !== 0) return undefined
    return `${textAt(target, 'varno')}.${textAt(target, 'varattno')}`
  }

  private variable(variable: Node): Proven {
    const owner = this.above(numberAt(variable, 'varlevelsup'))
    return owner === undefined
      ? UNKNOWN
      : owner.ownVariable({ tag: 'VAR', fields: { ...variable.fields, varlevelsup: '0' } })
  }

  private ownVariable(variable: Node): Proven {
    const target = this.resolve(variable)
    if (target !== variable) return this.prove(target)
    const [number, column] = [numberAt(target, 'varno'), numberAt(target, 'varattno')]
    const entry = this.entries[number - 1]
    if (entry === undefined || this.groupingSets) return UNKNOWN
    const proven = this.columnOf(entry, number, column)
    const emptied = (this.emptiedBy.get(number)?.size ?? 0) > 0
    const notNull = this.required.has(`${String(number)}.${String(column)}`) || (proven.notNull && !emptied)
    return { ...proven, notNull }
  }

  private columnOf(entry: Node, number: number, column: number): Proven {
    // The row itself, and the system's columns.
    if (column === 0) return numberAt(entry, 'rtekind') === RTE.relation ? SURE : UNKNOWN
    if (column < 0) return SURE
    switch (numberAt(entry, 'rtekind')) {
      case RTE.relation:
        return this.around.columnOf(textAt(entry, 'relid'), column)
      case RTE.subquery:
        return this.subquery(number)[column - 1] ?? UNKNOWN
      case RTE.cte:
        return this.cte(textAt(entry, 'ctename'), numberAt(entry, 'ctelevelsup'))[column - 1] ?? UNKNOWN
      case RTE.values: {
        const rows = listAt(entry, 'values_lists')
        const cells = rows.map((row) =>
          Array.isArray(row) ? (row as readonly Value[])[column - 1] : undefined,
        )
        return cells.every((cell) => isNode(cell) && this.isNotNull(cell)) ? SURE : UNKNOWN
      }
      case RTE.function:
        return this.functionColumn(entry, column) ? SURE : UNKNOWN
      default:
        return UNKNOWN
    }
  }

  private functionColumn(entry: Node, column: number): boolean {
    const [only, second] = nodesAt(entry, 'functions')
    // The shorter of several is filled up with NULLs.
    if (only === undefined || second !== undefined) return false
    const count = numberAt(only, 'funccolcount')
    if (isTrue(entry, 'funcordinality') && column === count + 1) return true
    const call = nodeAt(only, 'funcexpr')
    if (call?.tag !== 'FUNCEXPR') return false
    return column === 1 && SETS_WITHOUT_NULL.has(this.around.routine(textAt(call, 'funcid'))?.name ?? '')
  }

  private subquery(number: number): readonly Proven[] {
    const known = this.ofSubquery.get(number)
    if (known !== undefined) return known
    const entry = this.entries[number - 1]
    const query = entry === undefined ? undefined : nodeAt(entry, 'subquery')
    const outputs = query === undefined ? [] : new Scope(query, this, this.around).outputs()
    this.ofSubquery.set(number, outputs)
    return outputs
  }

  private cte(name: string, up: number): readonly Proven[] {
    return this.above(up)?.ownCte(name) ?? []
  }

  /** The query so many levels further out. */
  private above(levels: number): Scope | undefined {
    return levels === 0 ? this : this.parent?.above(levels - 1)
  }

  private ownCte(name: string): readonly Proven[] {
    const known = this.ofCte.get(name)
    if (known !== undefined) return known
    const definition = nodesAt(this.query, 'cteList').find((cte) => textAt(cte, 'ctename') === name)
    const query = definition === undefined ? undefined : nodeAt(definition, 'ctequery')
    // A statement that changes rows returns what no SELECT tree describes.
    if (definition === undefined || query?.tag !== 'QUERY' || textAt(query, 'commandType') !== '1') return []
    if (!isTrue(definition, 'cterecursive')) {
      const outputs = new Scope(query, this, this.around).outputs()
      this.ofCte.set(name, outputs)
      return outputs
    }
    // A recursive one is assumed to be as good as can be, until that assumption proves itself.
    let assumed: readonly Proven[] = nodesAt(query, 'targetList').map(() => SURE)
    for (;;) {
      this.ofCte.set(name, assumed)
      const outputs = new Scope(query, this, this.around)
        .outputs()
        .map(({ notNull }, index) => (notNull && assumed[index]?.notNull === true ? SURE : UNKNOWN))
      if (outputs.every(({ notNull }, index) => notNull === assumed[index]?.notNull)) return outputs
      assumed = outputs
    }
  }

  // ---- expressions

  isNotNull(expression: Node): boolean {
    return this.prove(expression).notNull
  }

  private prove(expression: Node): Proven {
    switch (expression.tag) {
      case 'VAR':
        return this.variable(expression)
      case 'CASEEXPR':
        return this.caseOf(expression)
      case 'CONST': {
        const text = textOf(expression)
        return {
          ...UNKNOWN,
          notNull: !isTrue(expression, 'constisnull'),
          texts: text === undefined ? undefined : [text],
        }
      }
      default:
        return this.holds(expression) ? SURE : UNKNOWN
    }
  }

  private holds(expression: Node): boolean {
    const args = nodesAt(expression, 'args')
    const every = (): boolean => args.length > 0 && args.every((argument) => this.isNotNull(argument))
    switch (expression.tag) {
      case 'NULLTEST':
      case 'BOOLEANTEST':
      case 'DISTINCTEXPR':
      case 'ARRAYEXPR':
      case 'ROWEXPR':
      case 'GROUPINGFUNC':
      case 'NEXTVALUEEXPR':
        return true
      case 'SQLVALUEFUNCTION':
        // current_schema alone may be null.
        return numberAt(expression, 'op') <= 13
      case 'BOOLEXPR':
        return every()
      case 'COALESCEEXPR':
      case 'MINMAXEXPR':
        return args.some((argument) => this.isNotNull(argument))
      case 'RELABELTYPE':
      case 'COERCEVIAIO':
      case 'COERCETODOMAIN':
      case 'COLLATEEXPR':
      case 'ARRAYCOERCEEXPR':
      case 'NAMEDARGEXPR': {
        const argument = nodeAt(expression, 'arg')
        return argument !== undefined && this.isNotNull(argument)
      }
      case 'OPEXPR': {
        const operator = this.around.operator(textAt(expression, 'opno'))
        const routine = this.around.routine(textAt(expression, 'opfuncid'))
        return (
          operator !== undefined && routine !== undefined && isTotalOperator(operator, routine) && every()
        )
      }
      case 'FUNCEXPR': {
        const routine = this.around.routine(textAt(expression, 'funcid'))
        if (routine === undefined || isTrue(expression, 'funcretset')) return false
        const texts = args.map((argument) => (argument.tag === 'CONST' ? textOf(argument) : undefined))
        return isTotalFunction(
          routine,
          texts,
          (index) => {
            const argument = args[index]
            return argument !== undefined && this.isNotNull(argument)
          },
          args.length,
        )
      }
      case 'SCALARARRAYOPEXPR': {
        const [scalar, array] = args
        if (scalar === undefined || array === undefined || !this.isNotNull(scalar)) return false
        const routine = this.around.routine(textAt(expression, 'opfuncid'))
        const operator = this.around.operator(textAt(expression, 'opno'))
        if (routine === undefined || operator === undefined || !isTotalOperator(operator, routine))
          return false
        return this.hasNoNullElement(array)
      }
      case 'SUBLINK':
        return this.subLink(expression)
      case 'AGGREF':
        return this.aggregate(expression)
      case 'WINDOWFUNC':
        return this.windowFunction(expression)
      default:
        return false
    }
  }

  private hasNoNullElement(array: Node): boolean {
    if (array.tag === 'RELABELTYPE' || array.tag === 'ARRAYCOERCEEXPR') {
      const argument = nodeAt(array, 'arg')
      return argument !== undefined && this.hasNoNullElement(argument)
    }
    if (array.tag === 'ARRAYEXPR')
      return (
        !isTrue(array, 'multidims') && nodesAt(array, 'elements').every((element) => this.isNotNull(element))
      )
    if (array.tag !== 'CONST' || isTrue(array, 'constisnull')) return false
    // In an array's header the offset of its data is 0 when it has no bitmap of NULLs.
    const bytes = bytesOf(array)
    return bytes !== undefined && bytes.length >= 12 && bytes.slice(8, 12).every((byte) => byte === 0)
  }

  private caseOf(expression: Node): Proven {
    const whens = nodesAt(expression, 'args')
    const otherwise = nodeAt(expression, 'defresult')
    const simple = nodeAt(expression, 'arg') !== undefined
    const results: Proven[] = []
    const seen: string[] = []
    for (const when of whens) {
      const [condition, result] = [nodeAt(when, 'expr'), nodeAt(when, 'result')]
      if (result === undefined) return UNKNOWN
      const known = condition === undefined || simple ? [] : this.neededToBeTrue(condition)
      results.push(this.proveWhere([...seen, ...known], result))
      // Further down, what was asked to be null is not.
      const tested = condition?.tag === 'NULLTEST' && numberAt(condition, 'nulltesttype') === 0
      const argument = tested && !isTrue(condition, 'argisrow') ? nodeAt(condition, 'arg') : undefined
      const key = argument?.tag === 'VAR' && !simple ? this.keyOf(argument) : undefined
      if (key !== undefined) seen.push(key)
    }
    results.push(otherwise === undefined ? UNKNOWN : this.proveWhere(seen, otherwise))
    const branches = [...whens.map((when) => nodeAt(when, 'result')), otherwise]
    const texts = branches.flatMap((branch, index) =>
      branch?.tag === 'CONST' && isTrue(branch, 'constisnull') ? [] : [results[index]?.texts],
    )
    return {
      notNull: results.every(({ notNull }) => notNull),
      origin: undefined,
      texts: texts.every((text) => text !== undefined) ? [...new Set(texts.flat())] : undefined,
    }
  }

  /** Proves an expression that is looked at only where some variables are not null. */
  private proveWhere(known: readonly string[], expression: Node): Proven {
    const added = known.filter((key) => !this.required.has(key))
    if (added.length === 0) return this.prove(expression)
    // What is found out under the condition must not be remembered beyond it.
    const before = {
      required: new Set(this.required),
      emptiedBy: [...this.emptiedBy].map(([entry, joins]) => [entry, new Set(joins)] as const),
      subqueries: new Map(this.ofSubquery),
      ctes: new Map(this.ofCte),
    }
    for (const key of added) this.requireVariable(key)
    const proven = this.prove(expression)
    restore(this.ofSubquery, before.subqueries)
    restore(this.ofCte, before.ctes)
    for (const key of [...this.required]) if (!before.required.has(key)) this.required.delete(key)
    for (const [entry, joins] of before.emptiedBy) this.emptiedBy.set(entry, joins)
    return proven
  }

  private subLink(expression: Node): boolean {
    const query = nodeAt(expression, 'subselect')
    switch (numberAt(expression, 'subLinkType')) {
      case 0: // EXISTS
      case 6: // ARRAY
        return true
      case 4: {
        // A value: not null only when there is always exactly one row.
        if (query === undefined || !isTrue(query, 'hasAggs') || nodeAt(query, 'havingQual') !== undefined)
          return false
        const several = ['groupClause', 'groupingSets', 'setOperations', 'limitCount', 'limitOffset']
        if (several.some((field) => query.fields[field] !== null && query.fields[field] !== undefined))
          return false
        if (isTrue(query, 'hasTargetSRFs')) return false
        return new Scope(query, this, this.around).outputs()[0]?.notNull === true
      }
      default:
        return false
    }
  }

  private aggregate(expression: Node): boolean {
    if (numberAt(expression, 'agglevelsup') !== 0) return false
    const name = this.around.routine(textAt(expression, 'aggfnoid'))?.name
    if (name === undefined) return false
    if (isTotalAggregate(name) === 'always') return true
    if (isTotalAggregate(name) === 'never') return false
    // Each group has a row; a whole table may have none, and a filter may leave none.
    if (!this.grouped || nodeAt(expression, 'aggfilter') !== undefined) return false
    if (isTotalAggregate(name) === 'collects') return true
    const inputs = nodesAt(expression, 'args').filter((argument) => !isTrue(argument, 'resjunk'))
    return inputs.every((input) => {
      const value = nodeAt(input, 'expr')
      return value !== undefined && this.isNotNull(value)
    })
  }

  private windowFunction(expression: Node): boolean {
    const name = this.around.routine(textAt(expression, 'winfnoid'))?.name
    const args = nodesAt(expression, 'args')
    const every = args.every((argument) => this.isNotNull(argument))
    switch (name) {
      case undefined:
        return false
      case 'count':
      case 'row_number':
      case 'rank':
      case 'dense_rank':
      case 'percent_rank':
      case 'cume_dist':
        return true
      case 'ntile':
        return every
      case 'lag':
      case 'lead':
        return args.length === 3 && every
      case 'sum':
      case 'avg':
      case 'min':
      case 'max':
      case 'bool_and':
      case 'bool_or':
      case 'every':
      case 'first_value':
      case 'last_value':
        return every && nodeAt(expression, 'aggfilter') === undefined && this.frameHasRow(expression)
      default:
        return false
    }
  }

  /** The frame always holds the current row: it starts before or at it, ends at or after it, and excludes nothing. */
  private frameHasRow(expression: Node): boolean {
    const reference = textAt(expression, 'winref')
    const window = nodesAt(this.query, 'windowClause').find(
      (clause) => textAt(clause, 'winref') === reference,
    )
    if (window === undefined) return false
    const options = numberAt(window, 'frameOptions')
    const [starts, ends, excludes] = [0x20 | 0x200 | 0x800, 0x100 | 0x400 | 0x4000, 0x38000]
    return (options & starts) !== 0 && (options & ends) !== 0 && (options & excludes) === 0
  }
}

/** An operation within another: its arms are entries of the same query. */
class SetOperation {
  private readonly scope: Scope
  private readonly node: Node

  constructor(scope: Scope, node: Node) {
    this.scope = scope
    this.node = node
  }

  outputs(width: number): readonly Proven[] {
    return this.scope.operation(this.node, width)
  }
}

function combine(operation: number, left: readonly Proven[], right: readonly Proven[]): readonly Proven[] {
  const [union, intersect] = [operation === 1, operation === 2]
  return left.map((one, index) => {
    const other = right[index] ?? UNKNOWN
    // EXCEPT keeps rows of its left arm.
    if (!union && !intersect) return one
    const same =
      one.origin?.relation === other.origin?.relation && one.origin?.column === other.origin?.column
    return {
      notNull: union ? one.notNull && other.notNull : one.notNull || other.notNull,
      origin: same ? one.origin : undefined,
      texts:
        one.texts === undefined || other.texts === undefined
          ? undefined
          : [...new Set([...one.texts, ...other.texts])],
    }
  })
}

function restore<K, V>(map: Map<K, V>, before: ReadonlyMap<K, V>): void {
  for (const key of map.keys()) if (!before.has(key)) map.delete(key)
}

function intersect(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first, ...others] = sets
  if (first === undefined) return new Set()
  return new Set([...first].filter((key) => others.every((set) => set.has(key))))
}

/** Functions in FROM whose rows are never NULL. */
const SETS_WITHOUT_NULL = new Set([
  'generate_series',
  'generate_subscripts',
  'jsonb_object_keys',
  'json_object_keys',
  'jsonb_each',
  'json_each',
  'jsonb_each_text',
  'json_each_text',
  'regexp_split_to_table',
])

function bytesOf(constant: Node): readonly number[] | undefined {
  const value = constant.fields['constvalue']
  return typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : undefined
}

/** text, varchar, and a literal whose type was not settled. */
const TEXT_TYPES = new Set(['25', '1043'])

function textOf(constant: Node): string | undefined {
  if (!TEXT_TYPES.has(textAt(constant, 'consttype')) || isTrue(constant, 'constisnull')) return undefined
  const bytes = bytesOf(constant)
  return bytes === undefined ? undefined : Buffer.from(bytes.slice(4)).toString('utf8')
}
