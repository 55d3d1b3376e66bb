import { small } from '../catalog/ddl-text.js'
import { altered, ownerRule, replace, steps } from './answers.js'
import { labelSteps, onlyAddsLabels } from './retype.js'
import type { Rules } from './rules.js'

/** Of types and domains. What columns have cannot be dropped: it is replaced. */
export const typeRules = {
  type: {
    owner: ownerRule,
    form: (before) => ({ kind: before.properties.form === 'shell' ? 'remake' : 'replace' }),
    labels: (before, after) =>
      onlyAddsLabels(before, after) ? steps(...labelSteps(before, after)) : { kind: 'replace' },
    options: (before) => ({ kind: before.properties.form === 'base' ? 'remake' : 'replace' }),
  },
  domain: {
    owner: ownerRule,
    type: replace,
    collation: replace,
    notNull: (_, after) => altered(after, after.properties.notNull ? 'set not null' : 'drop not null'),
    default: (_, after) =>
      altered(
        after,
        after.properties.default === undefined
          ? 'drop default'
          : `set default ${small(after.properties.default)}`,
      ),
  },
} satisfies Partial<Rules>
