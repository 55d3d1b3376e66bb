import { defineConfig } from 'dbkit'

/** Published as dbkit/<name>, with the shapes of JSON columns kept beside the migrations. */
const codegen = (name: string) => ({
  out: `src/generated/${name}.ts`,
  jsonTypes: `sql/${name}/json-types.json`,
})

export default defineConfig({
  databases: {
    happyrobot: {
      seedsFrom: { reference: '0002' },
      // As documented for one service; how many of them run is a matter of the deployment.
      pool: { size: 20, overflow: 10 },
      codegen: codegen('happyrobot'),
    },
    escalation: {
      databaseName: 'client_escalation_calls',
      seedsFrom: { reference: '0004' },
      codegen: codegen('escalation'),
    },
    smartscheduler: { seedsFrom: { reference: '0006' }, codegen: codegen('smartscheduler') },
    delauto: { mongo: 'sql/delauto/mongo.json', codegen: codegen('delauto') },
  },
})
