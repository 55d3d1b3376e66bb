import { defineConfig } from 'dbkit'

/** Published as dbkit/<name>, with the shapes of JSON columns kept beside the migrations. */
const codegen = (name: string) => ({
  out: `src/generated/${name}.ts`,
  jsonTypes: `sql/${name}/json-types.json`,
})

export default defineConfig({
  databases: {
    happyrobot: { codegen: codegen('happyrobot') },
    escalation: { databaseName: 'client_escalation_calls', codegen: codegen('escalation') },
    smartscheduler: { codegen: codegen('smartscheduler') },
    delauto: { mongo: 'sql/delauto/mongo.json', codegen: codegen('delauto') },
  },
})
