// Stands in for a module of kysely-codegen that takes `pluralize` out of the cache of `require`, which a bundle has not.
import pluralize from 'pluralize'

export function createSingularizer(rules) {
  for (const [key, replacement] of Object.entries(typeof rules === 'object' ? rules : {})) {
    const [, source, flags] = /^\/(.*)\/(.*)$/.exec(key) ?? []
    pluralize.addSingularRule(source === undefined ? key : new RegExp(source, flags), replacement)
  }
  return pluralize.singular
}
