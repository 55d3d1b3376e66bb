/** PostgreSQL stores every text but these: with a character NUL, or with half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && !(/[\ud800-\udfff]/.test(text) && /\p{Surrogate}/u.test(text))
}
