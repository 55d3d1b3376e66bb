import type { ElkNode, ElkExtendedEdge, ElkPort } from 'elkjs/lib/elk-api.js'
import { clustersOf } from './clusters.js'
import type { Box, Diagram, Link } from './diagram.js'

/** A diagram with a place for everything. */
export interface Placed {
  readonly title: string
  readonly width: number
  readonly height: number
  readonly boxes: readonly PlacedBox[]
  readonly links: readonly PlacedLink[]
  readonly frames: readonly PlacedFrame[]
}

export interface PlacedBox extends Area {
  readonly box: Box
  /** The one that it is all about. */
  readonly main: boolean
}

export interface PlacedLink {
  readonly link: Link
  /** From the table that is referred to, to the one that refers. */
  readonly points: readonly Point[]
}

export interface PlacedFrame extends Area {
  readonly name: string
}

export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

// ---- boxes

/** Everything is set in a monospaced font, whose width is known without any browser. */
export const SIZES = { font: 11, character: 6.65, head: 28, row: 19, pad: 12, foot: 8 } as const

/** East Asian characters and pictures take two places. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0)
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u

/** Longer names end in dots: the box has them in full as its title. */
export const LONGEST_NAME = 34
export const LONGEST_TYPE = 22

export function shortened(text: string, longest: number): string {
  const characters = [...text]
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`
}

export function sizeOf({ label, rows, more }: Box): { readonly width: number; readonly height: number } {
  const { character, head, row, pad, foot } = SIZES
  const widest = Math.max(
    widthOf(shortened(label, LONGEST_NAME)) * 1.09,
    ...rows.map(
      ({ name, type }) => widthOf(shortened(name, LONGEST_NAME)) + widthOf(shortened(type, LONGEST_TYPE)) + 6,
    ),
    more > 0 ? 14 : 0,
  )
  const below = rows.length === 0 ? 0 : rows.length * row + foot + (more > 0 ? row - 4 : 0)
  return { width: Math.ceil(widest * character) + pad * 2, height: head + below }
}

/** Where a line meets the box, from its top. */
function heightOf(box: Box, column: string | undefined): number {
  const index = box.rows.findIndex(({ name }) => name === column)
  return index < 0 ? SIZES.head / 2 : SIZES.head + 3 + index * SIZES.row + SIZES.row / 2
}

// ---- the whole

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.componentComponent': '40',
  'elk.layered.spacing.nodeNodeBetweenLayers': '64',
  'elk.layered.spacing.edgeNodeBetweenLayers': '22',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.aspectRatio': '1.6',
  'elk.randomSeed': '1',
}

/** Lays out by layers: what is referred to stands left of what refers, and lines meet the rows of their columns. */
export async function layOut(
  diagram: Diagram,
  { frames = true }: { frames?: boolean } = {},
): Promise<Placed> {
  // A CommonJS module that says it is an ES module: its class is the default of its default.
  const Elk = (await import('elkjs/lib/elk.bundled.js')).default.default
  const ids = new Map(diagram.boxes.map(({ key }, index) => [key, `b${String(index)}`]))
  const node = (box: Box): ElkNode => ({
    id: ids.get(box.key) ?? '',
    ...sizeOf(box),
    layoutOptions: { 'elk.portConstraints': 'FIXED_POS' },
    ports: portsOf(box, ids.get(box.key) ?? '', diagram.links),
  })
  const clusters = clustersOf(diagram)
  const framed = frames && clusters.length > 1
  const children = framed
    ? clusters.map(({ boxes }, index): ElkNode => ({
        id: `c${String(index)}`,
        layoutOptions: { ...OPTIONS, 'elk.padding': '[top=40,left=20,bottom=20,right=20]' },
        children: boxes.map(node),
      }))
    : diagram.boxes.map(node)
  const edges = diagram.links.map((link, index): ElkExtendedEdge => ({
    id: `e${String(index)}`,
    sources: [`${ids.get(link.to) ?? ''}:e:${link.toColumns[0] ?? ''}`],
    targets: [`${ids.get(link.from) ?? ''}:w:${link.fromColumns[0] ?? ''}`],
  }))
  // Without frames, parts that nothing joins are packed side by side; with them they would stand one below the other.
  const { 'elk.hierarchyHandling': hierarchy, ...flat } = OPTIONS
  const layoutOptions = frames ? { ...flat, 'elk.hierarchyHandling': hierarchy } : flat
  const done = await new Elk().layout({ id: 'root', layoutOptions, children, edges })
  return placed(diagram, done, framed ? clusters.map(({ name }) => name) : [])
}

function portsOf(box: Box, id: string, links: readonly Link[]): ElkPort[] {
  const ports = new Map<string, ElkPort>()
  const add = (side: 'e' | 'w', column: string | undefined): void => {
    const port = `${id}:${side}:${column ?? ''}`
    ports.set(port, {
      id: port,
      x: side === 'e' ? sizeOf(box).width : 0,
      y: heightOf(box, column),
      width: 0,
      height: 0,
      layoutOptions: { 'elk.port.side': side === 'e' ? 'EAST' : 'WEST' },
    })
  }
  for (const { from, to, fromColumns, toColumns } of links) {
    if (to === box.key) add('e', toColumns[0])
    if (from === box.key) add('w', fromColumns[0])
  }
  return [...ports.values()]
}

function placed(diagram: Diagram, done: ElkNode, names: readonly string[]): Placed {
  const at = new Map<string, Area>()
  const edges = new Map<string, readonly Point[]>()
  const walk = (parent: ElkNode, x: number, y: number): void => {
    for (const child of parent.children ?? []) {
      const area = {
        x: x + (child.x ?? 0),
        y: y + (child.y ?? 0),
        width: child.width ?? 0,
        height: child.height ?? 0,
      }
      at.set(child.id, area)
      walk(child, area.x, area.y)
    }
  }
  walk(done, 0, 0)
  for (const edge of done.edges ?? []) {
    // Within a frame a line is told relative to it.
    const container = (edge as { container?: string }).container
    const origin =
      container === undefined || container === 'root' ? { x: 0, y: 0 } : (at.get(container) ?? { x: 0, y: 0 })
    const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ])
    edges.set(
      edge.id,
      points.map(({ x, y }) => ({ x: x + origin.x, y: y + origin.y })),
    )
  }
  const nowhere: Area = { x: 0, y: 0, width: 0, height: 0 }
  return {
    title: diagram.title,
    width: done.width ?? 0,
    height: done.height ?? 0,
    boxes: diagram.boxes.map((box, index) => ({
      box,
      main: false,
      ...(at.get(`b${String(index)}`) ?? nowhere),
    })),
    links: diagram.links.map((link, index) => ({ link, points: edges.get(`e${String(index)}`) ?? [] })),
    frames: names.map((name, index) => ({ name, ...(at.get(`c${String(index)}`) ?? nowhere) })),
  }
}

// ---- one table and what is around it

/** More on a side are told of in words. */
const MOST = 9

/** What a table refers to on its left, what refers to it on its right. No search for places is needed for that. */
export function layOutAround(
  diagram: Diagram,
  main: string,
): { readonly placed: Placed; readonly leftOut: number } {
  const box = diagram.boxes.find(({ key }) => key === main)
  if (box === undefined) throw new Error(`no box ${main}`)
  const byKey = new Map(diagram.boxes.map((one) => [one.key, one]))
  const others = diagram.links.filter(({ from, to }) => from !== to)
  const sides = (keys: readonly string[]): readonly Box[] =>
    [...new Set(keys)].flatMap((key) => byKey.get(key) ?? [])
  const left = sides(others.filter(({ from }) => from === main).map(({ to }) => to))
  const right = sides(others.filter(({ to }) => to === main).map(({ from }) => from))
  const columns = [left.slice(0, MOST), [box], right.slice(0, MOST)]
  const heights = columns.map((boxes) => boxes.reduce((sum, one) => sum + sizeOf(one).height + 14, -14))
  const height = Math.max(...heights, 0)
  const gap = 84
  let x = 2
  const placedBoxes = columns.map((boxes, column) => {
    const widest = Math.max(0, ...boxes.map((one) => sizeOf(one).width))
    let y = 2 + (height - (heights[column] ?? 0)) / 2
    const found = boxes.map((one) => {
      const area = { x: column === 0 ? x + widest - sizeOf(one).width : x, y, ...sizeOf(one) }
      y += area.height + 14
      return { box: one, main: column === 1, ...area }
    })
    if (boxes.length > 0) x += widest + gap
    return found
  })
  const [lefts = [], [centre] = [], rights = []] = placedBoxes
  const links = others.flatMap((link): PlacedLink[] => {
    const parent = link.from === main ? lefts.find((one) => one.box.key === link.to) : centre
    const child = link.from === main ? centre : rights.find((one) => one.box.key === link.from)
    if (parent === undefined || child === undefined) return []
    const start = { x: parent.x + parent.width, y: parent.y + heightOf(parent.box, link.toColumns[0]) }
    const end = { x: child.x, y: child.y + heightOf(child.box, link.fromColumns[0]) }
    const middle = (start.x + end.x) / 2
    return [{ link, points: [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end] }]
  })
  return {
    placed: {
      title: box.label,
      width: x - gap + 4,
      height: height + 4,
      boxes: placedBoxes.flat(),
      links,
      frames: [],
    },
    leftOut: Math.max(0, left.length - MOST) + Math.max(0, right.length - MOST),
  }
}
