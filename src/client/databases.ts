import type { Database as Delauto } from '../generated/delauto.js'
import type { Database as Escalation } from '../generated/escalation.js'
import type { Database as Happyrobot } from '../generated/happyrobot.js'
import type { Database as Smartscheduler } from '../generated/smartscheduler.js'

/**
 * The databases that the client knows by name. Yours join them:
 *
 * @example
 * declare module 'dbkit/client' {
 *   interface Databases { freight: import('./types/freight.js').Database }
 * }
 */
export interface Databases {
  happyrobot: Happyrobot
  escalation: Escalation
  smartscheduler: Smartscheduler
  delauto: Delauto
}
