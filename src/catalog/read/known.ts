import { FIRST_USER_OID, list, query, text, type RowsOf } from './query.js'
import { address, type Known } from './registry.js'

/** What COMMENT ON wrote, on objects that did not come with an extension. */
export const COMMENTS = query(
  {
    catalog: 'd.classoid::regclass::text',
    oid: 'd.objoid',
    part: 'd.objsubid',
    comment: 'd.description',
  },
  `from pg_description d
   where (d.objoid >= ${FIRST_USER_OID} or d.classoid = 'pg_namespace'::regclass and d.objoid = to_regnamespace('public'))
     and not exists (select from pg_depend e
       where e.classid = d.classoid and e.objid = d.objoid and e.deptype = 'e')`,
)

export const EXTENSION_TIES = query(
  {
    catalog: 'd.classid::regclass::text',
    oid: 'd.objid',
    extensions: 'json_agg(x.extname order by x.extname)',
  },
  `from pg_depend d join pg_extension x on x.oid = d.refobjid
   where d.refclassid = 'pg_extension'::regclass and d.deptype = 'x' group by d.classid, d.objid`,
)

export function knownOf(comments: RowsOf<typeof COMMENTS>, ties: RowsOf<typeof EXTENSION_TIES>): Known {
  return {
    comments: new Map(
      comments.map((row) => [address(text(row.catalog), row.oid, row.part), text(row.comment)]),
    ),
    extensions: new Map(ties.map((row) => [address(text(row.catalog), row.oid), list(row.extensions)])),
  }
}
