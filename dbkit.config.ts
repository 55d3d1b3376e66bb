import { defineConfig } from 'dbkit'

/** Published as dbkit/<name>, with the shapes of JSON columns kept beside the migrations. */
const codegen = (name: string) => ({
  out: `src/generated/${name}.ts`,
  jsonTypes: `sql/${name}/json-types.json`,
})

/** What makes generated rows plausible. */
const generate = (name: string) => `seeds/${name}/generate.json`

/** Queries that are to be answered within a time. */
const targets = (name: string) => `sql/${name}/targets.json`

/** Drawn in the README, and kept true by `dbkit docs build --check`. */
const docs = { formats: ['svg'], requireComments: true } as const

export default defineConfig({
  databases: {
    happyrobot: {
      seedsFrom: { reference: '0002' },
      generate: generate('happyrobot'),
      bench: targets('happyrobot'),
      // As documented for one service; how many of them run is a matter of the deployment.
      pool: { size: 20, overflow: 10 },
      maintenance: {
        vacuum: { every: '1 week', tables: ['loads', 'calls', 'negotiations'] },
        archive: { calls: { into: 'calls_archive', column: 'start_time', olderThan: '90 days' } },
      },
      codegen: codegen('happyrobot'),
      docs,
    },
    // Escalation and DelAuto name no spans: what is not declared is done when it is asked for.
    escalation: {
      databaseName: 'client_escalation_calls',
      seedsFrom: { reference: '0004' },
      generate: generate('escalation'),
      bench: targets('escalation'),
      codegen: codegen('escalation'),
      docs,
    },
    smartscheduler: {
      seedsFrom: { reference: '0006' },
      generate: generate('smartscheduler'),
      bench: targets('smartscheduler'),
      maintenance: {
        analyze: { every: '1 month', tables: ['contractors', 'jobs', 'assignments'] },
        reindex: { every: '1 month', tables: ['contractors', 'jobs', 'assignments'] },
        refresh: { every: '1 day', tables: ['mv_contractor_statistics'] },
      },
      codegen: codegen('smartscheduler'),
      docs,
    },
    delauto: {
      mongo: 'sql/delauto/mongo.json',
      generate: generate('delauto'),
      bench: targets('delauto'),
      codegen: codegen('delauto'),
      docs,
    },
  },
})
