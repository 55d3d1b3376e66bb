/** A node of EXPLAIN (FORMAT JSON), as far as it is read. */
export interface PlanNode {
  readonly 'Node Type'?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Plan Rows'?: number
  readonly Plans?: readonly PlanNode[]
}

export interface PlanDescription {
  /** A node a line, indented below its parent. */
  readonly plan: readonly string[]
  readonly indexes: readonly string[]
  /** Tables that are read from end to end. */
  readonly scans: readonly string[]
}

/** What a plan does, in the planner's words. */
export function describePlan(root: PlanNode): PlanDescription {
  const plan: string[] = []
  const indexes = new Set<string>()
  const scans = new Set<string>()
  const visit = (node: PlanNode, depth: number): void => {
    const { 'Node Type': type = '', 'Relation Name': relation, 'Index Name': index } = node
    if (index !== undefined) indexes.add(index)
    if (type === 'Seq Scan' && relation !== undefined) scans.add(relation)
    const on = [index === undefined ? '' : `using ${index}`, relation === undefined ? '' : `on ${relation}`]
    plan.push(`${'  '.repeat(depth)}${[type, ...on].filter((part) => part !== '').join(' ')}`)
    for (const child of node.Plans ?? []) visit(child, depth + 1)
  }
  visit(root, 0)
  return { plan, indexes: [...indexes], scans: [...scans] }
}
