import { defineConfig } from 'dbkit'

export default defineConfig({
  databases: {
    happyrobot: {},
    escalation: { databaseName: 'client_escalation_calls' },
    smartscheduler: {},
    delauto: { mongo: 'sql/delauto/mongo.json' },
  },
})
