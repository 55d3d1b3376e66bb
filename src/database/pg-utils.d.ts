declare module 'pg/lib/utils.js' {
  const utils: {
    /** How `pg` writes a parameter: text, or bytes. */
    prepareValue(value: unknown): string | Buffer | null
  }
  export default utils
}
