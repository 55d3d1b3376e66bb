/** What applications use at run time: a typed Kysely, throw-away databases for tests, JSON parameters, calls of functions. */
export { createDatabase, type CreateDatabaseOptions } from './create-database.js'
export { call, type CallableRoutine } from './call.js'
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './create-test-database.js'
export { json, type JsonText } from './json.js'
export type { Databases } from './databases.js'
