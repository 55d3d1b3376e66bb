// Stands in for the part of kysely-codegen that reads databases: dbkit gives it what it has read itself.
export class PostgresIntrospectorDialect {
  constructor(options) {
    this.options = options
  }
}
