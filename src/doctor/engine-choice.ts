import type { EngineReport } from '../report.js'
import type { EngineChoice } from './doctor-report.js'

/** Why an embedded database is what it is: what else dbkit could have started, and what speaks against it. */
export function engineChoices(engine: EngineReport, postgis: boolean): readonly EngineChoice[] {
  return [
    {
      engine: engine.label,
      chosen: true,
      reason: `PostgreSQL ${engine.version ?? ''} itself, compiled to WebAssembly: no server to install, the same on every system, with contrib${postgis ? ' and PostGIS' : ''}. One session, no fsync: for development and tests`,
    },
    {
      engine: 'pg-mem',
      chosen: false,
      reason:
        'an imitation: it does not roll back through its adapters, and knows neither triggers nor plpgsql nor most of the catalogs',
    },
    {
      engine: 'a PostgreSQL server installed here',
      chosen: false,
      reason: `dbkit starts one for what it tries and throws away; data are kept on a server that somebody looks after: name it with --url`,
    },
    {
      engine: 'PostgreSQL binaries from npm',
      chosen: false,
      reason: `20 to 60 MB for each system and major, and ${postgis ? 'none of them with PostGIS, which these migrations need' : 'a process that has to be watched'}`,
    },
  ]
}
