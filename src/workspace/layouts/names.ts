/** The tools whose folders of migrations are read in place. */
export const LAYOUTS = [
  'dbkit',
  'golang-migrate',
  'dbmate',
  'diesel',
  'sqlx',
  'goose',
  'sql-migrate',
  'flyway',
  'sqitch',
  'prisma',
  'drizzle',
  'graphile-migrate',
  'node-pg-migrate',
] as const

/** How a folder of migrations is laid out. */
export type LayoutName = (typeof LAYOUTS)[number]
