import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Names that PostgreSQL cuts say so in a notice, and nowhere else. */
export function cutNames(look: StatementLook): readonly Found[] {
  return look.seen.notices.flatMap((notice) => {
    const match = /^identifier "(.+)" will be truncated to "(.+)"$/.exec(notice)
    return match === null
      ? []
      : [look.find('identifier-truncated', match[1] ?? '', `PostgreSQL will call it ${match[2] ?? ''}.`)]
  })
}
