import type { Report } from '../index.js'
import { redact } from './redact.js'

/** The one document of --json. */
export function renderJson(report: Report): string {
  // Each string by itself: what is blotted out never reaches over its end.
  const blotted = (_: string, value: unknown): unknown => (typeof value === 'string' ? redact(value) : value)
  return JSON.stringify(report, blotted, 2) + '\n'
}
