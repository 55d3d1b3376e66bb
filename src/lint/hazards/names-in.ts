/** The names in a text of SQL, folded as PostgreSQL does; what stands in quotes of a string counts too, because it may be executed. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")+)"|[\p{L}_][\p{L}\p{N}_$]*/gu)].flatMap(([word, quoted]) =>
    quoted === undefined ? [word.toLowerCase()] : [quoted.replaceAll('""', '"'), ...namesIn(quoted)],
  )
}
