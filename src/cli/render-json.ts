import type { Report } from '../index.js'
import { mayHoldPassword, redact } from './redact.js'

/** The one document of --json. */
export function renderJson(report: Report): string {
  // Neither is written in another way in JSON. To hand each of 10,000 values to a function takes longer than all the rest.
  const plain = JSON.stringify(report, undefined, 2) + '\n'
  if (!mayHoldPassword(plain)) return plain
  // Each string by itself: what is blotted out never reaches over its end.
  const blotted = (_: string, value: unknown): unknown => (typeof value === 'string' ? redact(value) : value)
  return JSON.stringify(report, blotted, 2) + '\n'
}
