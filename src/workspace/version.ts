/** A version is a whole number of any length (a counter or a timestamp); "007" and "7" are the same one. */
export function canonicalVersion(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '')
}

/** Compares two canonical versions as numbers: 14- and 18-digit timestamps do not fit into a double. */
export function compareVersions(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
