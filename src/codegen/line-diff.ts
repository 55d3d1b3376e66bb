/** The lines that differ between two texts, with three lines around them, as `diff -u` shows them. Empty when they are the same. */
export function lineDiff(before: string, after: string, file: string): string {
  if (before === after) return ''
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const edits = editsOf(old, fresh)
  const hunks: string[] = []
  for (let at = 0; at < edits.length;) {
    if (edits[at]?.mark === ' ') {
      at++
      continue
    }
    let end = at
    for (let quiet = 0; end < edits.length && quiet <= 2 * AROUND; end++)
      quiet = edits[end]?.mark === ' ' ? quiet + 1 : 0
    while (edits[end - 1]?.mark === ' ') end--
    const hunk = edits.slice(Math.max(0, at - AROUND), end + AROUND)
    const [first] = hunk
    const count = (mark: string): number =>
      hunk.filter((edit) => edit.mark === ' ' || edit.mark === mark).length
    hunks.push(
      `@@ -${String((first?.old ?? 0) + 1)},${String(count('-'))} +${String((first?.fresh ?? 0) + 1)},${String(count('+'))} @@`,
      ...hunk.map(({ mark, text }) => mark + text),
    )
    at = end + AROUND
  }
  return [`--- ${file}`, `+++ ${file} (from the schema)`, ...hunks].join('\n')
}

const AROUND = 3

interface Edit {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
  /** How many lines of each text come before it. */
  readonly old: number
  readonly fresh: number
}

/** Myers' shortest way from one to the other, after what both begin and end with is set aside. */
function editsOf(old: readonly string[], fresh: readonly string[]): readonly Edit[] {
  let head = 0
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++
  let tail = 0
  while (
    tail < old.length - head &&
    tail < fresh.length - head &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  )
    tail++
  const steps = shortestWay(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail))
  const marks = [
    ...Array.from({ length: head }, () => ' ' as const),
    ...steps,
    ...Array.from({ length: tail }, () => ' ' as const),
  ]
  let [oldAt, freshAt] = [0, 0]
  return marks.map((mark) => {
    const text = (mark === '+' ? fresh[freshAt] : old[oldAt]) ?? ''
    const edit = { mark, text, old: oldAt, fresh: freshAt }
    if (mark !== '+') oldAt++
    if (mark !== '-') freshAt++
    return edit
  })
}

function shortestWay(old: readonly string[], fresh: readonly string[]): readonly Edit['mark'][] {
  const trail: Int32Array[] = []
  const most = old.length + fresh.length
  // Far apart, as for a new file, the shortest way says no more than all of it, and costs its square.
  if (most > 4_000) return [...old.map(() => '-' as const), ...fresh.map(() => '+' as const)]
  let reach = new Int32Array(2 * most + 3)
  const offset = most + 1
  for (let depth = 0; ; depth++) {
    trail.push(reach.slice())
    for (let line = -depth; line <= depth; line += 2) {
      const down =
        line === -depth || (line !== depth && at(reach, offset + line - 1) < at(reach, offset + line + 1))
      let x = down ? at(reach, offset + line + 1) : at(reach, offset + line - 1) + 1
      while (x < old.length && x - line < fresh.length && old[x] === fresh[x - line]) x++
      reach[offset + line] = x
      if (x >= old.length && x - line >= fresh.length)
        return walkBack(trail, offset, old.length, fresh.length)
    }
    reach = reach.slice()
  }
}

function walkBack(
  trail: readonly Int32Array[],
  offset: number,
  oldLength: number,
  freshLength: number,
): readonly Edit['mark'][] {
  const marks: Edit['mark'][] = []
  let [x, y] = [oldLength, freshLength]
  for (let depth = trail.length - 1; depth >= 0; depth--) {
    const reach = trail[depth] ?? new Int32Array()
    const line = x - y
    const down =
      line === -depth || (line !== depth && at(reach, offset + line - 1) < at(reach, offset + line + 1))
    const before = down ? line + 1 : line - 1
    const beforeX = depth === 0 ? 0 : at(reach, offset + before)
    const beforeY = depth === 0 ? 0 : beforeX - before
    while (x > beforeX && y > beforeY) {
      marks.push(' ')
      x--
      y--
    }
    if (depth > 0) {
      marks.push(down ? '+' : '-')
      if (down) y--
      else x--
    }
  }
  return marks.reverse()
}

function at(values: Int32Array, index: number): number {
  return values[index] ?? 0
}
