/** A version is a whole number of any length (a counter or a timestamp); "007" and "7" are the same one. */
export function canonicalVersion(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '')
}

/** What comes first. Each tool has its own order, and a workspace goes by that of its layout. */
export type VersionOrder = (a: string, b: string) => number

/** Compares two canonical versions as numbers: 14- and 18-digit timestamps do not fit into a double. */
export function compareVersions(a: string, b: string): number {
  return a.length - b.length || compareText(a, b)
}

/** By code units, as tools do that sort file names: "10" comes before "9". */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** "1.2.10" after "1.2.9", and "1.2" the same as "1.2.0". */
export function compareDotted(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')]
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const order = compareVersions(canonicalVersion(left[part] ?? '0'), canonicalVersion(right[part] ?? '0'))
    if (order !== 0) return order
  }
  return 0
}

/** The order of a list that a tool keeps beside its files. What the list lacks (it is on another branch) holds nothing up: it comes first. */
export function listedOrder(versions: readonly string[]): VersionOrder {
  const places = new Map(versions.map((version, place) => [version, place]))
  return (a, b) => (places.get(a) ?? -1) - (places.get(b) ?? -1) || compareText(a, b)
}

/** The version that is meant by "7", "0007" or "0007_add_rating". */
export function findVersion(
  written: string,
  known: readonly { readonly version: string; readonly name: string }[],
): string | undefined {
  const exact = known.find(({ name, version }) => name === written || version === written)
  if (exact !== undefined) return exact.version
  const digits = /^\d+$/.test(written) ? canonicalVersion(written) : undefined
  if (digits === undefined) return undefined
  // Where the whole name is the version, its number is enough as long as only one begins so.
  const found = new Set(
    known.flatMap(({ version }) =>
      canonicalVersion(/^\d+(?![\d.])/.exec(version)?.[0] ?? '') === digits ? [version] : [],
    ),
  )
  const [only] = found
  return found.size === 1 ? only : undefined
}
