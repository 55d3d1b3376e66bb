import type { Report } from '../index.js'
import { redact } from './redact.js'

/** The one document of --json. */
export function renderJson(report: Report): string {
  return redact(JSON.stringify(report, undefined, 2)) + '\n'
}
