import type { Box, Diagram } from './diagram.js'

/** Tables that have more to do with each other than with the rest. */
export interface Cluster {
  /** The label of the table that most lines lead to. */
  readonly name: string
  readonly boxes: readonly Box[]
}

/** More of them in one frame are no longer looked at together. */
const LARGEST = 24

/**
 * Groups by modularity: a table joins the neighbours with which it has more lines than chance would give, again and again, and groups are
 * joined likewise. The same diagram always gives the same groups, in an order of their names.
 */
export function clustersOf({ boxes, links }: Diagram): readonly Cluster[] {
  const index = new Map(boxes.map(({ key }, number) => [key, number]))
  const edges = links.flatMap(({ from, to }): (readonly [number, number])[] => {
    const [a, b] = [index.get(from), index.get(to)]
    return a === undefined || b === undefined || a === b ? [] : [[a, b]]
  })
  const degrees = boxes.map(() => 0)
  for (const [a, b] of edges) {
    degrees[a] = (degrees[a] ?? 0) + 1
    degrees[b] = (degrees[b] ?? 0) + 1
  }
  const groups = new Map<number, number[]>()
  for (const [node, group] of grouped(boxes.length, edges).entries()) {
    // What nothing leads to and that leads nowhere stands together, by what the names begin with.
    const members = groups.get((degrees[node] ?? 0) === 0 ? -1 : group) ?? []
    groups.set((degrees[node] ?? 0) === 0 ? -1 : group, members)
    members.push(node)
  }
  const clusters = [...groups].flatMap(([group, members]) =>
    (group === -1 ? chunks(members) : [members]).map((some) => {
      const hub = some.reduce((best, node) => ((degrees[node] ?? 0) > (degrees[best] ?? 0) ? node : best))
      const shown = some.flatMap((node) => boxes[node] ?? [])
      const name = group === -1 ? 'on their own' : (boxes[hub]?.label ?? '')
      return { name, boxes: shown }
    }),
  )
  return distinctNames(clusters.sort((a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1)))
}

function chunks(members: readonly number[]): readonly (readonly number[])[] {
  const count = Math.ceil(members.length / LARGEST)
  const size = Math.ceil(members.length / count)
  return Array.from({ length: count }, (_, part) => members.slice(part * size, (part + 1) * size))
}

function distinctNames(clusters: readonly Cluster[]): readonly Cluster[] {
  const seen = new Map<string, number>()
  return clusters.map((cluster) => {
    const number = (seen.get(cluster.name) ?? 0) + 1
    seen.set(cluster.name, number)
    return number === 1 ? cluster : { ...cluster, name: `${cluster.name} (${String(number)})` }
  })
}

/** The group of each node. */
function grouped(count: number, edges: readonly (readonly [number, number])[]): readonly number[] {
  let belongs = Array.from({ length: count }, (_, node) => node)
  let weights: readonly (readonly [number, number, number])[] = edges.map(([a, b]) => [a, b, 1])
  let sizes = belongs.map(() => 1)
  for (let round = 0; round < 10; round++) {
    const moved = moveNodes(sizes, weights)
    if (moved === undefined) break
    // Each group is a node of the next round.
    const numbers = new Map<number, number>()
    for (const group of moved) if (!numbers.has(group)) numbers.set(group, numbers.size)
    const of = (node: number): number => numbers.get(moved[node] ?? 0) ?? 0
    const nextSizes = Array.from({ length: numbers.size }, () => 0)
    for (const [node, size] of sizes.entries()) nextSizes[of(node)] = (nextSizes[of(node)] ?? 0) + size
    sizes = nextSizes
    belongs = belongs.map(of)
    const sums = new Map<string, readonly [number, number, number]>()
    for (const [a, b, weight] of weights) {
      const [low, high] = [Math.min(of(a), of(b)), Math.max(of(a), of(b))]
      const key = `${String(low)} ${String(high)}`
      sums.set(key, [low, high, (sums.get(key)?.[2] ?? 0) + weight])
    }
    weights = [...sums.values()]
  }
  return belongs
}

/** One pass after another until nobody gains by moving; undefined: nobody moved at all. */
function moveNodes(
  sizes: readonly number[],
  weights: readonly (readonly [number, number, number])[],
): readonly number[] | undefined {
  const total = weights.reduce((sum, [, , weight]) => sum + weight, 0)
  if (total === 0) return undefined
  const neighbours = sizes.map(() => new Map<number, number>())
  const degrees = sizes.map(() => 0)
  for (const [a, b, weight] of weights) {
    degrees[a] = (degrees[a] ?? 0) + weight
    degrees[b] = (degrees[b] ?? 0) + weight
    if (a === b) continue
    neighbours[a]?.set(b, (neighbours[a].get(b) ?? 0) + weight)
    neighbours[b]?.set(a, (neighbours[b].get(a) ?? 0) + weight)
  }
  const group = sizes.map((_, node) => node)
  const groupDegrees = [...degrees]
  const groupSizes = [...sizes]
  let moved = false
  for (let pass = 0; pass < 20; pass++) {
    let gained = false
    for (const [node, near] of neighbours.entries()) {
      const own = group[node] ?? node
      const [degree, size] = [degrees[node] ?? 0, sizes[node] ?? 1]
      const byGroup = new Map<number, number>()
      for (const [other, weight] of near)
        byGroup.set(group[other] ?? other, (byGroup.get(group[other] ?? other) ?? 0) + weight)
      groupDegrees[own] = (groupDegrees[own] ?? 0) - degree
      groupSizes[own] = (groupSizes[own] ?? 0) - size
      const gainOf = (candidate: number): number =>
        (byGroup.get(candidate) ?? 0) - (degree * (groupDegrees[candidate] ?? 0)) / (2 * total)
      let [best, gain] = [own, gainOf(own)]
      for (const candidate of byGroup.keys())
        if ((groupSizes[candidate] ?? 0) + size <= LARGEST && gainOf(candidate) > gain + 1e-9)
          [best, gain] = [candidate, gainOf(candidate)]
      groupDegrees[best] = (groupDegrees[best] ?? 0) + degree
      groupSizes[best] = (groupSizes[best] ?? 0) + size
      if (best === own) continue
      group[node] = best
      gained = moved = true
    }
    if (!gained) break
  }
  return moved ? group : undefined
}
