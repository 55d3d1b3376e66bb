import type { FactOf } from '../catalog/catalog.js'
import { alter, chained, type Step } from './step.js'

type Sequence = FactOf<'sequence'>

/** ALTER SEQUENCE; where the bounds become narrower, the number it stands at is brought within them first. */
export function sequenceSteps(before: Sequence, after: Sequence): readonly Step[] {
  const [old, now] = [before.properties, after.properties]
  const narrower = BigInt(now.min) > BigInt(old.min) || BigInt(now.max) < BigInt(old.max)
  const wider = BigInt(now.min) < BigInt(old.min) || BigInt(now.max) > BigInt(old.max)
  const type = old.type === now.type ? '' : ` as ${now.type}`
  const options = [
    ...(old.increment === now.increment ? [] : [`increment by ${now.increment}`]),
    `minvalue ${now.min}`,
    `maxvalue ${now.max}`,
    ...(old.start === now.start ? [] : [`start with ${now.start}`]),
    ...(old.cache === now.cache ? [] : [`cache ${now.cache}`]),
    ...(old.cycle === now.cycle ? [] : [now.cycle ? 'cycle' : 'no cycle']),
  ]
  const bounded = old.min === now.min && old.max === now.max && old.type === now.type
  const head = `alter sequence ${after.identity}`
  const isWiderType = BigInt(now.max) > BigInt(old.max)
  return chained([
    ...(narrower && wider
      ? [
          alter(
            after,
            `${head}${isWiderType ? type : ''} minvalue ${least(old.min, now.min)} maxvalue ${greatest(old.max, now.max)}`,
          ),
        ]
      : []),
    ...(narrower
      ? [
          alter(
            after,
            `select pg_catalog.setval('${after.identity.replaceAll("'", "''")}', least(greatest(last_value, ${now.min}), ${now.max}), ` +
              `is_called and last_value between ${now.min} and ${now.max}) from ${after.identity}`,
          ),
        ]
      : []),
    alter(
      after,
      `${head}${type} ${options.filter((option) => !bounded || !/^(?:min|max)value/.test(option)).join(' ')}`,
    ),
  ])
}

function least(a: string, b: string): string {
  return BigInt(a) < BigInt(b) ? a : b
}

function greatest(a: string, b: string): string {
  return BigInt(a) > BigInt(b) ? a : b
}
