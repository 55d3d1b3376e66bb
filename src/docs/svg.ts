import type { Row } from './diagram.js'
import { markup, Markup, type Part } from './html.js'
import {
  LONGEST_NAME,
  LONGEST_TYPE,
  shortened,
  SIZES,
  type Placed,
  type PlacedBox,
  type PlacedLink,
  type Point,
} from './layout.js'

export interface SvgOptions {
  /** Where a click on a table leads; undefined: nowhere. */
  readonly hrefOf?: (box: PlacedBox) => string
  /** With its own colours, for a file that stands alone. */
  readonly alone: boolean
}

/** Colours for a file that stands alone: a page brings its own. */
const STYLE = `
  .er { --bg: #ffffff; --panel: #f5f7f9; --ink: #1a2330; --soft: #56616f; --line: #d5dbe2; --accent: #0a5fb4; --edge: #8593a3; }
  @media (prefers-color-scheme: dark) { .er { --bg: #11161d; --panel: #1a212b; --ink: #e3e8ee; --soft: #9ba7b5; --line: #313c4a; --accent: #7ab8ff; --edge: #6d7b8c; } }
  .er { font: ${String(SIZES.font)}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
  .er-paper { fill: var(--bg); }
  .er-frame rect { fill: var(--panel); stroke: none; }
  .er-frame text { fill: var(--soft); font-size: 12px; }
  .er-box { fill: var(--bg); stroke: var(--line); }
  .er-head { fill: var(--panel); }
  .er-rule { stroke: var(--line); }
  .er-name { fill: var(--ink); font-weight: 600; font-size: 12px; }
  .er-column { fill: var(--ink); }
  .er-type, .er-more { fill: var(--soft); }
  .er-key { fill: var(--accent); }
  .er-line { fill: none; stroke: var(--edge); stroke-width: 1.2; }
  .er-end { fill: var(--bg); stroke: var(--edge); stroke-width: 1.2; }
  .er-main .er-box { stroke: var(--accent); stroke-width: 1.6; }
`

/** The diagram as SVG. Tables, lines and the whole have titles, and tables are links where there are pages. */
export function renderSvg(placed: Placed, { hrefOf, alone }: SvgOptions): Markup {
  const [width, height] = [Math.ceil(placed.width), Math.ceil(placed.height)]
  const slugs = new Map(placed.boxes.map(({ box }) => [box.key, box.slug]))
  const attributes = alone
    ? markup` xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`
    : markup` width="${width}" height="${height}"`
  return markup`<svg${attributes} class="er" viewBox="0 0 ${width} ${height}" role="${hrefOf === undefined ? 'img' : 'group'}" aria-label="${`Tables of ${placed.title} and their foreign keys`}">
${hrefOf === undefined && markup`<title>${`Tables of ${placed.title} and their foreign keys`}</title> `}${
    alone &&
    markup`<style>
        ${new Markup(STYLE)}
      </style>
      <rect class="er-paper" width="100%" height="100%" /> `
  }${placed.frames.map(
    ({ name, x, y, width: wide, height: high }) =>
      markup`<g class="er-frame"
        ><rect x="${n(x)}" y="${n(y)}" width="${n(wide)}" height="${n(high)}" rx="10" /><text
          x="${n(x + 20)}"
          y="${n(y + 25)}"
          >${name}</text
        ></g
      > `,
  )}${placed.links.map((link) => renderLink(link, slugs))}${placed.boxes.map((box) => renderBox(box, hrefOf))}</svg>`
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function renderBox(placed: PlacedBox, hrefOf: SvgOptions['hrefOf']): Markup {
  const { box, x, y, width, height, main } = placed
  const { head, row, pad } = SIZES
  const title = box.comment === undefined ? box.label : `${box.label}: ${box.comment}`
  const inner = markup`<title>${title}</title
    ><rect class="er-box" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="6" /><path
      class="er-head"
      d="${headPath(placed)}"
    />${box.rows.length > 0 && markup`<path class="er-rule" d="M${n(x)} ${n(y + head)}h${n(width)}" />`}<text
      class="er-name"
      x="${n(x + pad)}"
      y="${n(y + 18.5)}"
      >${shortened(box.label, LONGEST_NAME)}</text
    >${box.rows.map((one, index) =>
      renderRow(one, x, y + head + 3 + index * row + 13, width),
    )}${box.more > 0 && box.rows.length > 0 && markup`<text class="er-more" x="${n(x + pad)}" y="${n(y + height - 8)}">${box.more} more</text>`}`
  const group = markup`<g class="er-table${main && ' er-main'}" data-key="${box.slug}">${inner}</g>`
  return hrefOf === undefined ? markup`${group} ` : markup`<a href="${hrefOf(placed)}">${group}</a> `
}

function headPath({ box, x, y, width }: PlacedBox): string {
  const high = SIZES.head
  const round = 'a5.5 5.5 0 0 1 '
  const start = `M${n(x + 0.5)} ${n(y + 6)}${round}5.5 -5.5h${n(width - 12)}${round}5.5 5.5`
  // A box without rows is all head.
  return box.rows.length === 0
    ? `${start}v${n(high - 12)}${round}-5.5 5.5h${n(12 - width)}${round}-5.5 -5.5z`
    : `${start}v${n(high - 6)}h${n(1 - width)}z`
}

function renderRow({ name, type, keys, notNull }: Row, x: number, baseline: number, width: number): Markup {
  const { pad } = SIZES
  return markup`<text class="er-column" x="${n(x + pad)}" y="${n(baseline)}"
      >${shortened(name, LONGEST_NAME)}${keys.length > 0 && markup` <tspan class="er-key">${keys[0] ?? ''}</tspan>`}</text
    ><text class="er-type" x="${n(x + width - pad)}" y="${n(baseline)}" text-anchor="end"
      >${shortened(type, LONGEST_TYPE)}${!notNull && '?'}</text
    >`
}

function renderLink({ link, points }: PlacedLink, slugs: ReadonlyMap<string, string>): Part {
  const [start, end] = [points[0], points.at(-1)]
  if (start === undefined || end === undefined) return undefined
  const { fromColumns, unique, optional, from, to } = link
  const short = (key: string): string => key.slice(key.indexOf(' ') + 1)
  const title = `${short(from)} (${fromColumns.join(', ')}) refers to ${short(to)}`
  // The lines end horizontally, so that what stands at their ends does too: a foot for many, a bar for one, a ring for none.
  const parent = optional
    ? markup`<circle class="er-end" cx="${n(start.x + 6)}" cy="${n(start.y)}" r="3" />`
    : markup`<path class="er-line" d="M${n(start.x + 6)} ${n(start.y - 4.5)}v9" />`
  const child = unique
    ? markup`<path class="er-line" d="M${n(end.x - 6)} ${n(end.y - 4.5)}v9" />`
    : markup`<path class="er-line" d="M${n(end.x)} ${n(end.y - 5)}l-9 5l9 5" />`
  return markup`<g class="er-link" data-from="${slugs.get(from)}" data-to="${slugs.get(to)}"
    ><title>${title}</title><path class="er-line" d="${pathOf(points)}" />${parent}${child}</g
  > `
}

/** With its corners rounded. */
function pathOf(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]]
      if (before === undefined) return `M${n(point.x)} ${n(point.y)}`
      if (after === undefined) return `L${n(point.x)} ${n(point.y)}`
      const [first, second] = [toward(point, before), toward(point, after)]
      return `L${n(first.x)} ${n(first.y)}Q${n(point.x)} ${n(point.y)} ${n(second.x)} ${n(second.y)}`
    })
    .join('')
}

function toward(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const part = length === 0 ? 0 : Math.min(7, length / 2) / length
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}
