import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { uuid_ossp } from '@electric-sql/pglite/contrib/uuid_ossp'
import { describe, expect, test } from '@jest/globals'
import { describeSystem, type SystemDatabase } from '../support/systems.js'

type Db = SystemDatabase
type Values = Record<string, string | null>

const utcNow = "(current_timestamp at time zone 'UTC')"
const zones = ['UTC', 'Asia/Tokyo', 'America/New_York']

async function one(db: Db, sql: string, parameters?: (string | null)[]): Promise<Values> {
  const [row, ...rest] = await db.query(sql, parameters)
  if (!row || rest.length > 0) throw new Error(`expected one row, got ${row ? rest.length + 1 : 0}: ${sql}`)
  return row
}

async function value(
  db: Db,
  sql: string,
  parameters?: (string | null)[],
): Promise<string | null | undefined> {
  return Object.values(await one(db, sql, parameters))[0]
}

async function column(
  db: Db,
  sql: string,
  parameters?: (string | null)[],
): Promise<(string | null | undefined)[]> {
  return (await db.query(sql, parameters)).map((row) => Object.values(row)[0])
}

// Values that begin with an equals sign are SQL: dates that depend on the clock of the server.
function literal(text: string | null): string {
  if (text === null) return 'null'
  return text.startsWith('=') ? text.slice(1) : `'${text.replaceAll("'", "''")}'`
}

function insertion(table: string, values: Values): string {
  const columns = Object.keys(values).map((name) => `"${name}"`)
  return `insert into ${table} (${columns.join(', ')}) values (${Object.values(values).map(literal).join(', ')})`
}

async function insert(db: Db, table: string, values: Values): Promise<string> {
  return String(await value(db, `${insertion(table, values)} returning id`))
}

let counter = 0
function aContractor(values: Values = {}): Values {
  counter += 1
  return {
    name: `Contractor ${counter}`,
    type: '1',
    phone_number: '(555) 555-0100',
    email: `contractor${counter}@example.com`,
    base_location_latitude: '32.7767',
    base_location_longitude: '-96.7970',
    base_location_address: '1 Pecan Street',
    base_location_city: 'Dallas',
    base_location_state: 'TX',
    base_location_zip_code: '75201',
    ...values,
  }
}

function aJob(values: Values = {}): Values {
  counter += 1
  return {
    job_number: `JOB-${counter}`,
    type: '1',
    desired_date: `=${utcNow} + interval '2 days'`,
    duration: '2 hours',
    location_latitude: '32.7767',
    location_longitude: '-96.7970',
    location_address: '2 Pecan Street',
    location_city: 'Dallas',
    location_state: 'TX',
    location_zip_code: '75201',
    ...values,
  }
}

function anAssignment(job: string, contractor: string, values: Values = {}): Values {
  return {
    job_id: job,
    contractor_id: contractor,
    score: '0.8',
    scheduled_start_time: '2026-11-23 10:00',
    scheduled_end_time: '2026-11-23 12:00',
    scheduled_duration: '2 hours',
    score_availability_score: '1',
    score_rating_score: '0.6',
    score_distance_score: '0.7',
    score_availability_weight: '0.4',
    score_rating_weight: '0.3',
    score_distance_weight: '0.3',
    ...values,
  }
}

function aUser(values: Values = {}): Values {
  counter += 1
  return {
    email: `user${counter}@example.com`,
    password_hash: '!disabled',
    name: 'A User',
    role: '1',
    ...values,
  }
}

async function assign(db: Db, contractor: string, values: Values = {}): Promise<string> {
  const job = await insert(db, 'jobs', aJob())
  return insert(db, 'assignments', anAssignment(job, contractor, values))
}

const now = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)"
const created = `created_at timestamp without time zone not null = ${now}`
const updated = `updated_at timestamp without time zone not null = ${now}`
const randomId = 'id uuid not null = uuid_generate_v4()'

const tables: Record<string, string[]> = {
  contractors: [
    randomId,
    'name character varying(100) not null',
    'type integer not null',
    'rating numeric(3,2) not null = 0.00',
    'status integer not null = 1',
    'phone_number character varying(20) not null',
    'email character varying(255) not null',
    'base_location_latitude numeric(10,7) not null',
    'base_location_longitude numeric(10,7) not null',
    'base_location_address character varying(255) not null',
    'base_location_city character varying(100) not null',
    'base_location_state character varying(2) not null',
    'base_location_zip_code character varying(10) not null',
    "skills jsonb = '[]'::jsonb",
    created,
    updated,
  ],
  contractor_working_hours: [
    "id integer not null = nextval('contractor_working_hours_id_seq'::regclass)",
    'contractor_id uuid not null',
    'day_of_week integer not null',
    'start_time time without time zone not null',
    'end_time time without time zone not null',
  ],
  jobs: [
    randomId,
    'job_number character varying(50) not null',
    'type integer not null',
    'status integer not null = 1',
    'desired_date timestamp without time zone not null',
    'duration interval not null',
    'priority integer not null = 2',
    'location_latitude numeric(10,7) not null',
    'location_longitude numeric(10,7) not null',
    'location_address character varying(255) not null',
    'location_city character varying(100) not null',
    'location_state character varying(2) not null',
    'location_zip_code character varying(10) not null',
    "special_requirements jsonb = '[]'::jsonb",
    'assigned_contractor_id uuid',
    created,
    updated,
  ],
  assignments: [
    randomId,
    'job_id uuid not null',
    'contractor_id uuid not null',
    'status integer not null = 1',
    'score numeric(5,4) not null',
    'scheduled_start_time timestamp without time zone not null',
    'scheduled_end_time timestamp without time zone not null',
    'scheduled_duration interval not null',
    'score_availability_score numeric(5,4) not null',
    'score_rating_score numeric(5,4) not null',
    'score_distance_score numeric(5,4) not null',
    'score_availability_weight numeric(3,2) not null',
    'score_rating_weight numeric(3,2) not null',
    'score_distance_weight numeric(3,2) not null',
    'score_explanation text',
    'confirmed_at timestamp without time zone',
    'started_at timestamp without time zone',
    'completed_at timestamp without time zone',
    'cancellation_reason text',
    created,
    updated,
  ],
  users: [
    randomId,
    'email character varying(255) not null',
    'password_hash character varying(255) not null',
    'name character varying(100) not null',
    'role integer not null',
    'status integer not null = 1',
    created,
    updated,
    'last_login_at timestamp without time zone',
  ],
  audit_logs: [
    "id bigint not null = nextval('audit_logs_id_seq'::regclass)",
    'entity_type character varying(50) not null',
    'entity_id uuid not null',
    'action character varying(20) not null',
    'user_id uuid',
    'changes jsonb',
    `timestamp timestamp without time zone not null = ${now}`,
    'ip_address inet',
  ],
}

const views: Record<string, string[]> = {
  v_active_contractors: [
    'id uuid',
    'name character varying(100)',
    'type integer',
    'rating numeric(3,2)',
    'city character varying(100)',
    'state character varying(2)',
    'phone_number character varying(20)',
    'email character varying(255)',
    'active_assignments bigint',
    'avg_assignment_score numeric',
  ],
  v_open_jobs: [
    'id uuid',
    'job_number character varying(50)',
    'type integer',
    'desired_date timestamp without time zone',
    'location_city character varying(100)',
    'location_state character varying(2)',
    'priority integer',
    'hours_until_desired_date numeric',
  ],
  v_contractor_schedules: [
    'contractor_id uuid',
    'contractor_name character varying(100)',
    'scheduled_start_time timestamp without time zone',
    'scheduled_end_time timestamp without time zone',
    'assignment_status integer',
    'job_number character varying(50)',
    'location_address character varying(255)',
    'location_city character varying(100)',
  ],
  mv_contractor_statistics: [
    'id uuid',
    'name character varying(100)',
    'type integer',
    'rating numeric(3,2)',
    'total_assignments bigint',
    'completed_assignments bigint',
    'avg_score numeric',
    'last_job_date timestamp without time zone',
  ],
}

// Name, then what PostgreSQL says about it from the access method on.
const indexes: Record<string, string[]> = {
  contractors: [
    'idx_contractors_email btree (email)',
    'idx_contractors_location gist (st_makepoint((base_location_longitude)::double precision, (base_location_latitude)::double precision))',
    'idx_contractors_name_trgm gin (name gin_trgm_ops)',
    'idx_contractors_rating btree (rating DESC)',
    'idx_contractors_search btree (type, status, rating DESC) INCLUDE (name, email, phone_number)',
    'idx_contractors_status btree (status)',
    'idx_contractors_type btree (type)',
  ],
  contractor_working_hours: [
    'idx_working_hours_contractor btree (contractor_id)',
    'idx_working_hours_day btree (day_of_week)',
  ],
  jobs: [
    'idx_jobs_contractor btree (assigned_contractor_id)',
    'idx_jobs_desired_date btree (desired_date)',
    'idx_jobs_location gist (st_makepoint((location_longitude)::double precision, (location_latitude)::double precision))',
    'idx_jobs_number unique btree (job_number)',
    'idx_jobs_open btree (priority DESC, desired_date) WHERE (status = 1)',
    'idx_jobs_priority btree (priority)',
    'idx_jobs_status btree (status)',
    'idx_jobs_status_type_date btree (status, type, desired_date)',
    'idx_jobs_type btree (type)',
  ],
  assignments: [
    'idx_assignments_contractor btree (contractor_id)',
    'idx_assignments_contractor_date btree (contractor_id, scheduled_start_time, scheduled_end_time) WHERE (status <> 5)',
    'idx_assignments_contractor_results btree (contractor_id) INCLUDE (status, score)',
    'idx_assignments_job btree (job_id)',
    'idx_assignments_scheduled_start btree (scheduled_start_time)',
    'idx_assignments_score btree (score DESC)',
    'idx_assignments_status btree (status)',
  ],
  users: [
    'idx_users_email unique btree (email)',
    'idx_users_role btree (role)',
    'idx_users_status btree (status)',
  ],
  audit_logs: [
    'idx_audit_entity btree (entity_type, entity_id)',
    'idx_audit_timestamp btree ("timestamp")',
    'idx_audit_user btree (user_id)',
  ],
}

const constraints: Record<string, string[]> = {
  contractors: [
    'chk_contractor_email_format',
    'chk_contractor_name_length',
    'chk_contractor_rating',
    'chk_latitude',
    'chk_longitude',
    'contractors_pkey',
    'contractors_status_check',
    'contractors_type_check',
    'uq_contractors_email',
  ],
  contractor_working_hours: [
    'chk_day_of_week',
    'chk_max_duration',
    'chk_time_order',
    'contractor_working_hours_pkey',
    'fk_working_hours_contractor',
    'uq_contractor_day',
  ],
  jobs: [
    'chk_job_desired_date_future',
    'chk_job_duration',
    'chk_latitude',
    'chk_longitude',
    'fk_jobs_contractor',
    'jobs_pkey',
    'jobs_priority_check',
    'jobs_status_check',
    'jobs_type_check',
    'uq_jobs_number',
  ],
  assignments: [
    'assignments_pkey',
    'assignments_status_check',
    'chk_assignment_score',
    'chk_assignment_scores',
    'chk_assignment_time_slot',
    'chk_assignment_weights',
    'fk_assignments_contractor',
    'fk_assignments_job',
    'uq_assignment_job',
  ],
  users: ['uq_users_email', 'users_pkey', 'users_role_check', 'users_status_check'],
  audit_logs: ['audit_logs_action_check', 'audit_logs_pkey'],
}

const triggers = [
  'assignments trg_assignments_updated_at',
  'contractors trg_contractors_updated_at',
  'jobs trg_jobs_updated_at',
  'users trg_users_updated_at',
]

const functions = [
  'calculate_distance_miles(lat1 numeric, lon1 numeric, lat2 numeric, lon2 numeric) numeric i',
  'is_contractor_available(p_contractor_id uuid, p_start_time timestamp without time zone, p_end_time timestamp without time zone) boolean s',
  'update_contractor_rating(p_contractor_id uuid, p_job_rating numeric) numeric v',
  'update_updated_at_column() trigger v',
]

// PostGIS puts its own relations and functions into the same schema.
const ownRelations = `
  select c.oid, c.relname, c.relkind
  from pg_class c
  where c.relnamespace = 'public'::regnamespace
    and c.relkind in ('r', 'p', 'v', 'm')
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`
const ownFunctions = `
  select p.oid, p.proname, p.provolatile
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`

describeSystem('smartscheduler', (db) => {
  describe('What there is', () => {
    test('the three extensions, in public', async () => {
      const installed = await column(
        db,
        `select extname from pg_extension
         where extname in ('uuid-ossp', 'postgis', 'pg_trgm') and extnamespace = 'public'::regnamespace
         order by extname collate "C"`,
      )
      expect(installed).toEqual(['pg_trgm', 'postgis', 'uuid-ossp'])
    })

    test('six tables, three views and a materialized view, and nothing else', async () => {
      const relations = await column(
        db,
        `select own.relkind::text || ' ' || own.relname from (${ownRelations}) own order by own.relname collate "C"`,
      )
      expect(relations).toEqual([
        'r assignments',
        'r audit_logs',
        'r contractor_working_hours',
        'r contractors',
        'r jobs',
        'm mv_contractor_statistics',
        'r users',
        'v v_active_contractors',
        'v v_contractor_schedules',
        'v v_open_jobs',
      ])
    })

    test.each(Object.entries({ ...tables, ...views }))('the columns of %s', async (relation, expected) => {
      const columns = await column(
        db,
        `select a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || case when a.attnotnull then ' not null' else '' end
           || coalesce(' = ' || pg_get_expr(d.adbin, d.adrelid), '')
         from pg_attribute a
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
         order by a.attnum`,
        [relation],
      )
      expect(columns).toEqual(expected)
    })

    test.each(Object.entries(indexes))('the indexes of %s', async (table, expected) => {
      const found = await column(
        db,
        `select c.relname || case when i.indisunique then ' unique' else '' end
           || regexp_replace(pg_get_indexdef(c.oid), '^.* USING', '')
         from pg_index i join pg_class c on c.oid = i.indexrelid
         where i.indrelid = $1::text::regclass and c.relname like 'idx\\_%'
         order by c.relname collate "C"`,
        [table],
      )
      expect(found).toEqual(expected)
    })

    test('29 indexes by documented name, and two that the response times need', () => {
      expect(Object.values(indexes).flat()).toHaveLength(31)
    })

    test.each(Object.entries(constraints))(
      'the constraints of %s, each rule once',
      async (table, expected) => {
        const found = await db.query(
          `select conname, pg_get_constraintdef(oid) as rule
         from pg_constraint
         where conrelid = $1::text::regclass and contype in ('c', 'f', 'p', 'u', 'x')
         order by conname collate "C"`,
          [table],
        )
        expect(found.map((constraint) => constraint['conname'])).toEqual(expected)
        expect(new Set(found.map((constraint) => constraint['rule'])).size).toBe(expected.length)
      },
    )

    test('four triggers, all before an update of a row', async () => {
      const found = await db.query(
        `select c.relname || ' ' || t.tgname as name, pg_get_triggerdef(t.oid) as definition
         from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where not t.tgisinternal
         order by c.relname collate "C"`,
      )
      expect(found.map((trigger) => trigger['name'])).toEqual(triggers)
      for (const trigger of found)
        expect(trigger['definition']).toMatch(
          /BEFORE UPDATE ON .* FOR EACH ROW EXECUTE FUNCTION (public\.)?update_updated_at_column\(\)$/,
        )
    })

    test('four functions, as volatile as they have to be', async () => {
      const found = await column(
        db,
        `select own.proname || '(' || pg_get_function_arguments(own.oid) || ') '
           || pg_get_function_result(own.oid) || ' ' || own.provolatile::text
         from (${ownFunctions}) own
         order by own.proname collate "C"`,
      )
      expect(found).toEqual(functions)
    })

    test('everything has a comment', async () => {
      const silent = await column(
        db,
        `select own.relname from (${ownRelations}) own where obj_description(own.oid, 'pg_class') is null
         union all
         select own.relname || '.' || a.attname
         from (${ownRelations}) own join pg_attribute a on a.attrelid = own.oid
         where a.attnum > 0 and not a.attisdropped and col_description(own.oid, a.attnum) is null
         union all
         select own.proname from (${ownFunctions}) own where obj_description(own.oid, 'pg_proc') is null
         union all
         select t.tgname from pg_trigger t
         where not t.tgisinternal and obj_description(t.oid, 'pg_trigger') is null`,
      )
      expect(silent).toEqual([])
    })

    test.each([
      ['contractors', 'type', ['1=Flooring', '2=Tile', '3=Carpet', '4=Multi']],
      ['contractors', 'status', ['1=Active', '2=Inactive', '3=OnLeave']],
      ['contractors', 'rating', ['0.00 to 5.00']],
      ['contractors', 'skills', ['JSON array']],
      ['contractor_working_hours', 'day_of_week', ['0=Sunday', '1=Monday', '6=Saturday']],
      ['jobs', 'type', ['1=Flooring', '2=Tile', '3=Carpet']],
      ['jobs', 'status', ['1=Open', '2=Assigned', '3=InProgress', '4=Completed', '5=Cancelled']],
      ['jobs', 'priority', ['1=Low', '2=Medium', '3=High', '4=Urgent']],
      ['jobs', 'job_number', ['JOB-20251108-ABC123']],
      ['assignments', 'status', ['1=Pending', '2=Confirmed', '3=InProgress', '4=Completed', '5=Cancelled']],
      ['assignments', 'score', ['0.0000 to 1.0000']],
      ['users', 'role', ['1=Dispatcher', '2=Manager', '3=Admin']],
      ['users', 'status', ['1=Active', '2=Inactive', '3=Locked']],
      ['audit_logs', 'action', ['INSERT, UPDATE, DELETE']],
    ])('the comment on %s.%s says what its values mean', async (table, name, meanings) => {
      const comment = await value(
        db,
        `select col_description(attrelid, attnum) from pg_attribute
         where attrelid = $1::text::regclass and attname = $2`,
        [table, name],
      )
      for (const meaning of meanings) expect(comment).toContain(meaning)
    })
  })

  describe('What a value may be', () => {
    const closedLists: {
      table: string
      column: string
      allowed: string[]
      refused: string[]
      constraint: string
      row: (values: Values) => Promise<Values>
    }[] = [
      {
        table: 'contractors',
        column: 'type',
        allowed: ['1', '2', '3', '4'],
        refused: ['0', '5', '-1'],
        constraint: 'contractors_type_check',
        row: async (values) => aContractor(values),
      },
      {
        table: 'contractors',
        column: 'status',
        allowed: ['1', '2', '3'],
        refused: ['0', '4'],
        constraint: 'contractors_status_check',
        row: async (values) => aContractor(values),
      },
      {
        table: 'contractor_working_hours',
        column: 'day_of_week',
        allowed: ['0', '1', '2', '3', '4', '5', '6'],
        refused: ['-1', '7'],
        constraint: 'chk_day_of_week',
        row: async (values) => ({
          contractor_id: await insert(db, 'contractors', aContractor()),
          start_time: '09:00',
          end_time: '17:00',
          ...values,
        }),
      },
      {
        table: 'jobs',
        column: 'type',
        allowed: ['1', '2', '3'],
        refused: ['0', '4'],
        constraint: 'jobs_type_check',
        row: async (values) => aJob(values),
      },
      {
        table: 'jobs',
        column: 'status',
        allowed: ['1', '2', '3', '4', '5'],
        refused: ['0', '6', '99'],
        constraint: 'jobs_status_check',
        row: async (values) => aJob(values),
      },
      {
        table: 'jobs',
        column: 'priority',
        allowed: ['1', '2', '3', '4'],
        refused: ['0', '5'],
        constraint: 'jobs_priority_check',
        row: async (values) => aJob(values),
      },
      {
        table: 'assignments',
        column: 'status',
        allowed: ['1', '2', '3', '4', '5'],
        refused: ['0', '6'],
        constraint: 'assignments_status_check',
        row: async (values) =>
          anAssignment(
            await insert(db, 'jobs', aJob()),
            await insert(db, 'contractors', aContractor()),
            values,
          ),
      },
      {
        table: 'users',
        column: 'role',
        allowed: ['1', '2', '3'],
        refused: ['0', '4'],
        constraint: 'users_role_check',
        row: async (values) => aUser(values),
      },
      {
        table: 'users',
        column: 'status',
        allowed: ['1', '2', '3'],
        refused: ['0', '4'],
        constraint: 'users_status_check',
        row: async (values) => aUser(values),
      },
      {
        table: 'audit_logs',
        column: 'action',
        allowed: ['INSERT', 'UPDATE', 'DELETE'],
        refused: ['SELECT', 'insert', ''],
        constraint: 'audit_logs_action_check',
        row: async (values) => ({
          entity_type: 'jobs',
          entity_id: '00000000-0000-4000-8000-000000000001',
          ...values,
        }),
      },
    ]

    for (const list of closedLists) {
      test(`${list.table}.${list.column} takes ${list.allowed.join(', ')} and nothing else`, async () => {
        for (const allowed of list.allowed)
          await insert(db, list.table, await list.row({ [list.column]: allowed }))
        for (const refused of list.refused)
          await db.refuses(
            insertion(list.table, await list.row({ [list.column]: refused })),
            '23514',
            list.constraint,
          )
      })
    }

    test('a contractor stays within the ranges', async () => {
      const ranges: [string, string[], string[], string][] = [
        ['rating', ['0', '5'], ['-0.01', '5.01', 'NaN'], 'chk_contractor_rating'],
        ['name', ['Al'], ['A', ''], 'chk_contractor_name_length'],
        ['base_location_latitude', ['-90', '90'], ['-90.0000001', '90.0000001', 'NaN'], 'chk_latitude'],
        ['base_location_longitude', ['-180', '180'], ['-180.0000001', '180.0000001', 'NaN'], 'chk_longitude'],
        [
          'email',
          ['a@b.co', 'first.last+tag@sub.example.org', 'UPPER_case%1@EXAMPLE.COM'],
          ['plain', 'a@b', '@example.com', 'a@example.c', 'a b@example.com', 'a@exam ple.com', ''],
          'chk_contractor_email_format',
        ],
      ]
      for (const [name, inside, outside, constraint] of ranges) {
        for (const good of inside) await insert(db, 'contractors', aContractor({ [name]: good }))
        for (const bad of outside)
          await db.refuses(insertion('contractors', aContractor({ [name]: bad })), '23514', constraint)
      }
    })

    test('a working day ends after it begins, after 16 hours at the latest', async () => {
      const spans: [string, string, string | undefined][] = [
        ['09:00', '17:00', undefined],
        ['06:00', '22:00', undefined],
        ['08:00', '24:00', undefined],
        ['06:00', '22:00:01', 'chk_max_duration'],
        ['09:00', '09:00', 'chk_time_order'],
        ['22:00', '06:00', 'chk_time_order'],
      ]
      for (const [start, end, constraint] of spans) {
        const contractor = await insert(db, 'contractors', aContractor())
        const row = { contractor_id: contractor, day_of_week: '1', start_time: start, end_time: end }
        if (constraint) await db.refuses(insertion('contractor_working_hours', row), '23514', constraint)
        else await insert(db, 'contractor_working_hours', row)
      }
    })

    test('a job stays within the ranges', async () => {
      const ranges: [string, string[], string[], string][] = [
        [
          'duration',
          ['30 minutes', '8 hours'],
          ['29 minutes 59 seconds', '8 hours 1 second'],
          'chk_job_duration',
        ],
        ['location_latitude', ['-90', '90'], ['-91', '91'], 'chk_latitude'],
        ['location_longitude', ['-180', '180'], ['-181', '181'], 'chk_longitude'],
      ]
      for (const [name, inside, outside, constraint] of ranges) {
        for (const good of inside) await insert(db, 'jobs', aJob({ [name]: good }))
        for (const bad of outside)
          await db.refuses(insertion('jobs', aJob({ [name]: bad })), '23514', constraint)
      }
    })

    test('a job is not wanted before it was created, and stays valid once its date has passed', async () => {
      const past = { created_at: '2020-01-02 10:00', desired_date: '2020-01-02 10:00' }
      const job = await insert(db, 'jobs', aJob(past))
      await db.query('update jobs set status = 4 where id = $1', [job])
      await db.refuses(
        insertion('jobs', aJob({ ...past, desired_date: '2020-01-02 09:59:59' })),
        '23514',
        'chk_job_desired_date_future',
      )
    })

    test.each(zones)('a job wanted in two hours is accepted in a session of %s', async (zone) => {
      await db.query(`set local timezone to '${zone}'`)
      await insert(db, 'jobs', aJob({ desired_date: `=${utcNow} + interval '2 hours'` }))
      await db.refuses(
        insertion('jobs', aJob({ desired_date: `=${utcNow} - interval '1 second'` })),
        '23514',
        'chk_job_desired_date_future',
      )
    })

    test('an assignment stays within the ranges', async () => {
      const contractor = await insert(db, 'contractors', aContractor())
      const one = ['score_availability_score', 'score_rating_score', 'score_distance_score']
      const other = ['score_availability_weight', 'score_rating_weight', 'score_distance_weight']
      const ranges: [string, string][] = [
        ['score', 'chk_assignment_score'],
        ...one.map((name): [string, string] => [name, 'chk_assignment_scores']),
        ...other.map((name): [string, string] => [name, 'chk_assignment_weights']),
      ]
      for (const [name, constraint] of ranges) {
        for (const good of ['0', '1']) await assign(db, contractor, { [name]: good })
        for (const bad of ['-0.01', '1.01']) {
          const job = await insert(db, 'jobs', aJob())
          await db.refuses(
            insertion('assignments', anAssignment(job, contractor, { [name]: bad })),
            '23514',
            constraint,
          )
        }
      }
    })

    test('an assignment ends after it begins', async () => {
      const contractor = await insert(db, 'contractors', aContractor())
      for (const end of ['2026-11-23 10:00', '2026-11-23 09:00']) {
        const job = await insert(db, 'jobs', aJob())
        await db.refuses(
          insertion('assignments', anAssignment(job, contractor, { scheduled_end_time: end })),
          '23514',
          'chk_assignment_time_slot',
        )
      }
    })

    test('what has to be unique is', async () => {
      const contractor = await insert(db, 'contractors', aContractor({ email: 'same@example.com' }))
      await db.refuses(
        insertion('contractors', aContractor({ email: 'same@example.com' })),
        '23505',
        'uq_contractors_email',
      )
      const hours = { contractor_id: contractor, day_of_week: '1', start_time: '09:00', end_time: '17:00' }
      await insert(db, 'contractor_working_hours', hours)
      await db.refuses(insertion('contractor_working_hours', hours), '23505', 'uq_contractor_day')

      // Two unique indexes on one column: either may be the one that speaks.
      await insert(db, 'jobs', aJob({ job_number: 'JOB-SAME' }))
      await db.refuses(insertion('jobs', aJob({ job_number: 'JOB-SAME' })), '23505', 'jobs_number')
      await insert(db, 'users', aUser({ email: 'same@example.com' }))
      await db.refuses(insertion('users', aUser({ email: 'same@example.com' })), '23505', 'users_email')
    })

    test('a job has one assignment, also when that one was cancelled', async () => {
      const contractor = await insert(db, 'contractors', aContractor())
      const job = await insert(db, 'jobs', aJob())
      const cancelled = await insert(db, 'assignments', anAssignment(job, contractor, { status: '5' }))
      await db.refuses(insertion('assignments', anAssignment(job, contractor)), '23505', 'uq_assignment_job')
      await db.query('delete from assignments where id = $1', [cancelled])
      await insert(db, 'assignments', anAssignment(job, contractor))
    })

    test('deleting a contractor: hours go, jobs lose the name, a history forbids it', async () => {
      const free = await insert(db, 'contractors', aContractor())
      const hours = { contractor_id: free, day_of_week: '1', start_time: '09:00', end_time: '17:00' }
      const span = await insert(db, 'contractor_working_hours', hours)
      const job = await insert(db, 'jobs', aJob({ assigned_contractor_id: free }))
      await db.query('delete from contractors where id = $1', [free])
      expect(await db.query('select from contractor_working_hours where id = $1', [span])).toHaveLength(0)
      expect(await value(db, 'select assigned_contractor_id from jobs where id = $1', [job])).toBeNull()

      const busy = await insert(db, 'contractors', aContractor())
      await insert(db, 'assignments', anAssignment(job, busy))
      // 23001 is how PostgreSQL 18 calls a RESTRICT; older versions say 23503.
      const state =
        Number(await value(db, "select current_setting('server_version_num')")) >= 180000 ? '23001' : '23503'
      await db.refuses(`delete from contractors where id = '${busy}'`, state, 'fk_assignments_contractor')
      await db.query('delete from jobs where id = $1', [job])
      expect(await db.query('select from assignments where contractor_id = $1', [busy])).toHaveLength(0)
      await db.query('delete from contractors where id = $1', [busy])
    })

    test('references to nothing are refused', async () => {
      const nobody = '00000000-0000-4000-8000-000000000000'
      const contractor = await insert(db, 'contractors', aContractor())
      const job = await insert(db, 'jobs', aJob())
      await db.refuses(
        insertion('contractor_working_hours', {
          contractor_id: nobody,
          day_of_week: '1',
          start_time: '09:00',
          end_time: '17:00',
        }),
        '23503',
        'fk_working_hours_contractor',
      )
      await db.refuses(
        insertion('jobs', aJob({ assigned_contractor_id: nobody })),
        '23503',
        'fk_jobs_contractor',
      )
      await db.refuses(
        insertion('assignments', anAssignment(job, nobody)),
        '23503',
        'fk_assignments_contractor',
      )
      await db.refuses(
        insertion('assignments', anAssignment(nobody, contractor)),
        '23503',
        'fk_assignments_job',
      )
    })

    test('an account needs a name and a hash', async () => {
      await db.refuses(
        insertion('users', { email: 'a@example.com', name: 'A', role: '1' }),
        '23502',
        'password_hash',
      )
      await db.refuses(
        insertion('users', { email: 'a@example.com', password_hash: '!disabled', role: '1' }),
        '23502',
        'name',
      )
    })
  })

  describe('Timestamps', () => {
    const rows: [string, () => Promise<Values>][] = [
      ['contractors', async () => aContractor()],
      ['jobs', async () => aJob()],
      ['users', async () => aUser()],
      [
        'assignments',
        async () =>
          anAssignment(await insert(db, 'jobs', aJob()), await insert(db, 'contractors', aContractor())),
      ],
    ]

    for (const [table, row] of rows) {
      test.each(zones)(`${table}: filled and moved in UTC by a session of %s`, async (zone) => {
        await db.query(`set local timezone to '${zone}'`)
        const id = await insert(db, table, await row())
        const stamps = `select created_at = ${utcNow} as created, updated_at = ${utcNow} as updated from ${table} where id = $1`
        expect(await one(db, stamps, [id])).toEqual({ created: 't', updated: 't' })

        const old = await insert(db, table, {
          ...(await row()),
          created_at: '2020-01-01 00:00',
          updated_at: '2020-01-01 00:00',
        })
        expect(await one(db, stamps, [old])).toEqual({ created: 'f', updated: 'f' })
        await db.query(`update ${table} set status = 2 where id = $1`, [old])
        expect(await one(db, stamps, [old])).toEqual({ created: 'f', updated: 't' })
        await db.query(`update ${table} set updated_at = '2020-01-01' where id = $1`, [old])
        expect(await one(db, stamps, [old])).toEqual({ created: 'f', updated: 't' })
      })
    }

    test('audit_logs: the default is UTC, and the user may be unknown', async () => {
      await db.query("set local timezone to 'Asia/Tokyo'")
      const id = await insert(db, 'audit_logs', {
        entity_type: 'jobs',
        entity_id: '00000000-0000-4000-8000-000000000001',
        action: 'DELETE',
        user_id: '00000000-0000-4000-8000-00000000ffff',
        changes: '{"status": {"old": 1, "new": 5}}',
        ip_address: '192.0.2.7',
      })
      expect(await value(db, `select "timestamp" = ${utcNow} from audit_logs where id = $1`, [id])).toBe('t')
    })
  })

  describe('calculate_distance_miles', () => {
    test.each([
      ['New York to Los Angeles', '40.7128, -74.0060, 34.0522, -118.2437', '2445.71'],
      ['Chicago to Atlanta', '41.8781, -87.6298, 33.7490, -84.3880', '588.79'],
      ['Dallas to Houston', '32.7767, -96.7970, 29.7604, -95.3698', '224.81'],
      ['half way round', '0, 0, 0, 180', '12437.57'],
      ['pole to pole', '90, 0, -90, 0', '12437.57'],
      ['nowhere', '32.7767, -96.7970, 32.7767, -96.7970', '0.00'],
      ['across the date line', '0, 179.5, 0, -179.5', '69.10'],
    ])('%s', async (_, points, miles) => {
      expect(await value(db, `select round(calculate_distance_miles(${points}), 2)`)).toBe(miles)
    })

    test('is not rounded, and the same both ways', async () => {
      const there = await value(db, 'select calculate_distance_miles(40.7128, -74.0060, 34.0522, -118.2437)')
      const back = await value(db, 'select calculate_distance_miles(34.0522, -118.2437, 40.7128, -74.0060)')
      expect(Number(there)).toBeCloseTo(2445.71016, 5)
      expect(Number(back)).toBeCloseTo(Number(there), 6)
    })

    test('never fails on opposite points, where rounding goes past the end of the scale', async () => {
      const worst = await value(
        db,
        `select round(max(abs(calculate_distance_miles(lat, lon, -lat, lon + 180) - 12437.565)), 2)
         from generate_series(-90, 90, 0.75) lat, generate_series(-180, 0, 7.3) lon`,
      )
      expect(worst).toBe('0.00')
    })

    test.each(['null, 0, 1, 1', '0, null, 1, 1', '0, 0, null, 1', '0, 0, 1, null'])(
      'is NULL for (%s)',
      async (points) => {
        expect(await value(db, `select calculate_distance_miles(${points})`)).toBeNull()
      },
    )
  })

  describe('is_contractor_available', () => {
    // 2026-11-22 is a Sunday. The contractor works Monday to Friday from 9 to 17, Saturday from 8 until midnight.
    async function weekly(): Promise<string> {
      const contractor = await insert(db, 'contractors', aContractor())
      const weekdays = ['1', '2', '3', '4', '5'].map((day) => [day, '09:00', '17:00'] as const)
      for (const [day, start, end] of [...weekdays, ['6', '08:00', '24:00'] as const])
        await insert(db, 'contractor_working_hours', {
          contractor_id: contractor,
          day_of_week: day,
          start_time: start,
          end_time: end,
        })
      return contractor
    }
    const available = (contractor: string | null, start: string | null, end: string | null) =>
      value(db, 'select is_contractor_available($1, $2, $3)', [contractor, start, end])

    test.each([
      ['Sunday, a day off', '2026-11-22 10:00', '2026-11-22 11:00', 'f'],
      ['Monday', '2026-11-23 10:00', '2026-11-23 11:00', 't'],
      ['Tuesday', '2026-11-24 10:00', '2026-11-24 11:00', 't'],
      ['Wednesday', '2026-11-25 10:00', '2026-11-25 11:00', 't'],
      ['Thursday', '2026-11-26 10:00', '2026-11-26 11:00', 't'],
      ['Friday', '2026-11-27 10:00', '2026-11-27 11:00', 't'],
      ['Saturday', '2026-11-28 10:00', '2026-11-28 11:00', 't'],
      ['Friday evening, when only Saturday is long', '2026-11-27 18:00', '2026-11-27 19:00', 'f'],
      ['the whole day', '2026-11-23 09:00', '2026-11-23 17:00', 't'],
      ['a second too early', '2026-11-23 08:59:59', '2026-11-23 17:00', 'f'],
      ['a second too late', '2026-11-23 09:00', '2026-11-23 17:00:01', 'f'],
      ['before work', '2026-11-23 07:00', '2026-11-23 08:00', 'f'],
      ['after work', '2026-11-23 17:00', '2026-11-23 18:00', 'f'],
      ['overnight, times of day that look fine', '2026-11-23 10:00', '2026-11-24 11:00', 'f'],
      ['a week later, same times of day', '2026-11-23 10:00', '2026-11-30 11:00', 'f'],
      ['until midnight, which is 00:00 of the next day', '2026-11-23 16:00', '2026-11-24 00:00', 'f'],
      ['until midnight on a day that lasts until then', '2026-11-28 16:00', '2026-11-29 00:00', 't'],
      ['past midnight on that day', '2026-11-28 16:00', '2026-11-29 00:00:01', 'f'],
      ['from midnight, after that day', '2026-11-29 00:00', '2026-11-29 01:00', 'f'],
      ['reversed', '2026-11-23 11:00', '2026-11-23 10:00', 'f'],
      ['empty', '2026-11-23 10:00', '2026-11-23 10:00', 'f'],
      ['without a start', null, '2026-11-23 10:00', 'f'],
      ['without an end', '2026-11-23 10:00', null, 'f'],
      ['for ever', '2026-11-23 10:00', 'infinity', 'f'],
    ])('%s', async (_, start, end, expected) => {
      expect(await available(await weekly(), start, end)).toBe(expected)
    })

    test('nobody, or somebody without hours, is not available', async () => {
      const slot = ['2026-11-23 10:00', '2026-11-23 11:00'] as const
      expect(await available(null, ...slot)).toBe('f')
      expect(await available('00000000-0000-4000-8000-000000000000', ...slot)).toBe('f')
      expect(await available(await insert(db, 'contractors', aContractor()), ...slot)).toBe('f')
    })

    test.each([
      ['earlier', '09:00', '11:59', 't'],
      ['touching its start', '10:00', '12:00', 't'],
      ['over its start', '11:00', '12:01', 'f'],
      ['the same', '12:00', '14:00', 'f'],
      ['inside it', '12:30', '13:30', 'f'],
      ['around it', '11:00', '15:00', 'f'],
      ['with the same start, longer', '12:00', '15:00', 'f'],
      ['with the same end, longer', '11:00', '14:00', 'f'],
      ['over its end', '13:59', '15:00', 'f'],
      ['touching its end', '14:00', '15:00', 't'],
      ['later', '14:30', '15:00', 't'],
    ])('beside an assignment from 12 to 14: %s', async (_, start, end, expected) => {
      const contractor = await weekly()
      await assign(db, contractor, {
        status: '2',
        scheduled_start_time: '2026-11-23 12:00',
        scheduled_end_time: '2026-11-23 14:00',
      })
      expect(await available(contractor, `2026-11-23 ${start}`, `2026-11-23 ${end}`)).toBe(expected)
    })

    test.each([
      ['Pending', '1', 't'],
      ['Confirmed', '2', 'f'],
      ['InProgress', '3', 'f'],
      ['Completed', '4', 't'],
      ['Cancelled', '5', 't'],
    ])('what is %s does or does not block', async (_, status, expected) => {
      const contractor = await weekly()
      await assign(db, contractor, { status })
      expect(await available(contractor, '2026-11-23 10:00', '2026-11-23 12:00')).toBe(expected)
    })

    test('work of others does not block, and the status of the contractor is the business of the caller', async () => {
      const contractor = await weekly()
      await assign(db, await weekly(), { status: '2' })
      await db.query('update contractors set status = 3 where id = $1', [contractor])
      expect(await available(contractor, '2026-11-23 10:00', '2026-11-23 12:00')).toBe('t')
    })

    test.each(zones)('the same in a session of %s, or with another search_path', async (zone) => {
      const contractor = await weekly()
      await assign(db, contractor, { status: '2' })
      await db.query(`set local timezone to '${zone}'`)
      await db.query('set local search_path to pg_catalog')
      const ask = (start: string, end: string) =>
        value(db, 'select public.is_contractor_available($1, $2, $3)', [contractor, start, end])
      expect(await ask('2026-11-23 09:00', '2026-11-23 10:00')).toBe('t')
      expect(await ask('2026-11-23 09:00', '2026-11-23 10:01')).toBe('f')
      expect(await ask('2026-11-22 09:00', '2026-11-22 10:00')).toBe('f')
    })
  })

  describe('update_contractor_rating', () => {
    async function rated(rating: string, completed: number): Promise<string> {
      const contractor = await insert(db, 'contractors', aContractor({ rating }))
      for (let job = 0; job < completed; job += 1) await assign(db, contractor, { status: '4' })
      return contractor
    }
    const rate = (contractor: string, rating: string) =>
      value(db, 'select update_contractor_rating($1, $2)', [contractor, rating])
    const stored = (contractor: string) =>
      value(db, 'select rating from contractors where id = $1', [contractor])

    test.each([
      ['the first one stands for itself', '0.00', 0, '4.5', '4.50'],
      ['the first one replaces whatever is there', '3.00', 0, '5', '5.00'],
      ['the fourth of a contractor at 4.00', '4.00', 3, '5', '4.25'],
      ['the fourth of a contractor at 4.25', '4.25', 3, '4.75', '4.38'],
      ['the lowest', '4.00', 1, '0', '2.00'],
      ['the highest', '5.00', 2, '5', '5.00'],
      ['a first one with too many decimals', '0.00', 0, '4.187', '4.19'],
    ])('%s', async (_, before, completed, rating, expected) => {
      const contractor = await rated(before, completed)
      expect(await rate(contractor, rating)).toBe(expected)
      expect(await stored(contractor)).toBe(expected)
    })

    test('counts completed assignments of this contractor only', async () => {
      const contractor = await rated('4.00', 1)
      for (const status of ['1', '2', '3', '5']) await assign(db, contractor, { status })
      await rated('1.00', 5)
      expect(await rate(contractor, '5')).toBe('4.50')
    })

    test('the next rating builds on what was returned', async () => {
      const contractor = await rated('0.00', 0)
      expect(await rate(contractor, '5')).toBe('5.00')
      await assign(db, contractor, { status: '4' })
      expect(await rate(contractor, '4')).toBe('4.50')
      await assign(db, contractor, { status: '4' })
      expect(await rate(contractor, '4')).toBe('4.33')
      expect(await stored(contractor)).toBe('4.33')
    })

    test.each(['5.5', '5.001', '-0.01', '9', 'NaN'])('refuses %s', async (rating) => {
      for (const contractor of [await rated('0.00', 0), await rated('4.00', 3)])
        await db.refuses(
          `select update_contractor_rating('${contractor}', '${rating}')`,
          '22023',
          'from 0 to 5',
        )
    })

    test('refuses no rating and no contractor', async () => {
      const contractor = await rated('4.00', 1)
      await db.refuses(`select update_contractor_rating('${contractor}', null)`, '22004', 'NULL')
      const nobody = '00000000-0000-4000-8000-000000000000'
      await db.refuses(`select update_contractor_rating('${nobody}', 4)`, 'P0002', nobody)
      await db.refuses('select update_contractor_rating(null, 4)', 'P0002', 'does not exist')
    })

    test.each(zones)('moves updated_at in UTC in a session of %s, whatever its search_path', async (zone) => {
      const contractor = await insert(db, 'contractors', aContractor({ updated_at: '2020-01-01 00:00' }))
      await db.query(`set local timezone to '${zone}'`)
      await db.query('set local search_path to pg_catalog')
      await db.query('select public.update_contractor_rating($1, 4)', [contractor])
      const moved = `select updated_at = ${utcNow} from public.contractors where id = $1`
      expect(await value(db, moved, [contractor])).toBe('t')
    })
  })

  describe('Views', () => {
    test('v_active_contractors: active ones, with and without work', async () => {
      await db.query('delete from assignments')
      await db.query('delete from contractors')
      const busy = await insert(db, 'contractors', aContractor({ name: 'Busy', rating: '4.10' }))
      await insert(db, 'contractors', aContractor({ name: 'Idle' }))
      for (const status of ['2', '3'])
        await insert(db, 'contractors', aContractor({ name: `Status ${status}`, status }))
      for (const day of ['1', '2'])
        await insert(db, 'contractor_working_hours', {
          contractor_id: busy,
          day_of_week: day,
          start_time: '09:00',
          end_time: '17:00',
        })
      const scores = ['0.5', '0.6', '0.7', '0.8', '0.9']
      for (const [index, score] of scores.entries())
        await assign(db, busy, { status: String(index + 1), score })
      const rows = await db.query(
        `select name, rating, city, state, active_assignments, round(avg_assignment_score, 4) as avg_assignment_score
         from v_active_contractors order by name`,
      )
      expect(rows).toEqual([
        {
          name: 'Busy',
          rating: '4.10',
          city: 'Dallas',
          state: 'TX',
          active_assignments: '2',
          avg_assignment_score: '0.7000',
        },
        {
          name: 'Idle',
          rating: '0.00',
          city: 'Dallas',
          state: 'TX',
          active_assignments: '0',
          avg_assignment_score: null,
        },
      ])
    })

    test.each(zones)(
      'v_open_jobs in a session of %s: open, not past, urgent first, then soon',
      async (zone) => {
        await db.query('delete from jobs')
        await db.query(`set local timezone to '${zone}'`)
        const jobs: [string, string, string, string][] = [
          ['LATER', '4', '50 hours', '1'],
          ['SOONER', '4', '48 hours', '1'],
          ['LOW', '1', '1 hour', '1'],
          ['HIGH', '3', '90 minutes', '1'],
          ['NOW', '2', '0', '1'],
          ['PAST', '4', '-1 second', '1'],
          ...['2', '3', '4', '5'].map((status): [string, string, string, string] => [
            `STATUS-${status}`,
            '4',
            '1 day',
            status,
          ]),
        ]
        for (const [number, priority, ahead, status] of jobs)
          await insert(
            db,
            'jobs',
            aJob({
              job_number: number,
              priority,
              status,
              desired_date: `=${utcNow} + interval '${ahead}'`,
              created_at: '2020-01-01 00:00',
            }),
          )
        const rows = await db.query(
          'select job_number, priority, round(hours_until_desired_date, 6) as hours from v_open_jobs',
        )
        expect(rows).toEqual([
          { job_number: 'SOONER', priority: '4', hours: '48.000000' },
          { job_number: 'LATER', priority: '4', hours: '50.000000' },
          { job_number: 'HIGH', priority: '3', hours: '1.500000' },
          { job_number: 'NOW', priority: '2', hours: '0.000000' },
          { job_number: 'LOW', priority: '1', hours: '1.000000' },
        ])
      },
    )

    test.each(zones)(
      'v_contractor_schedules in a session of %s: from 7 days ago to 30 days ahead',
      async (zone) => {
        await db.query('delete from assignments')
        await db.query(`set local timezone to '${zone}'`)
        const zoe = await insert(db, 'contractors', aContractor({ name: 'Zoe' }))
        const ann = await insert(db, 'contractors', aContractor({ name: 'Ann' }))
        const slots: [string, string, string, string][] = [
          [zoe, '-7 days', '2', 'TOO-LONG-AGO-BUT-FOR-A-MOMENT'],
          [zoe, '-7 days -1 second', '2', 'TOO-LONG-AGO'],
          [zoe, '30 days', '3', 'LAST'],
          [zoe, '30 days 1 second', '2', 'TOO-FAR'],
          [ann, '2 days', '2', 'SECOND'],
          [ann, '1 day', '3', 'FIRST'],
          ...['1', '4', '5'].map((status): [string, string, string, string] => [
            ann,
            '1 day',
            status,
            `STATUS-${status}`,
          ]),
        ]
        for (const [contractor, ahead, status, number] of slots) {
          const job = await insert(db, 'jobs', aJob({ job_number: number }))
          const start = `${utcNow} + interval '${ahead}'`
          await insert(
            db,
            'assignments',
            anAssignment(job, contractor, {
              status,
              scheduled_start_time: `=${start}`,
              scheduled_end_time: `=${start} + interval '2 hours'`,
            }),
          )
        }
        const rows = await db.query(
          'select contractor_name, job_number, assignment_status, location_address, location_city from v_contractor_schedules',
        )
        const site = { location_address: '2 Pecan Street', location_city: 'Dallas' }
        expect(rows).toEqual([
          { contractor_name: 'Ann', job_number: 'FIRST', assignment_status: '3', ...site },
          { contractor_name: 'Ann', job_number: 'SECOND', assignment_status: '2', ...site },
          {
            contractor_name: 'Zoe',
            job_number: 'TOO-LONG-AGO-BUT-FOR-A-MOMENT',
            assignment_status: '2',
            ...site,
          },
          { contractor_name: 'Zoe', job_number: 'LAST', assignment_status: '3', ...site },
        ])
      },
    )

    test('mv_contractor_statistics knows what the last refresh saw, and refreshes without a lock on readers', async () => {
      const contractor = await insert(db, 'contractors', aContractor({ type: '4', rating: '4.60' }))
      const idle = await insert(db, 'contractors', aContractor({ status: '2' }))
      await assign(db, contractor, { status: '4', score: '0.9', completed_at: '2026-11-02 16:00' })
      await assign(db, contractor, { status: '4', score: '0.7', completed_at: '2026-11-09 15:30' })
      await assign(db, contractor, { status: '5', score: '0.5' })
      const statistics = `select type, rating, total_assignments, completed_assignments,
          round(avg_score, 4) as avg_score, last_job_date
        from mv_contractor_statistics where id = $1`
      expect(await db.query(statistics, [contractor])).toHaveLength(0)
      await db.query('refresh materialized view concurrently mv_contractor_statistics')
      expect(await one(db, statistics, [contractor])).toEqual({
        type: '4',
        rating: '4.60',
        total_assignments: '3',
        completed_assignments: '2',
        avg_score: '0.7000',
        last_job_date: '2026-11-09 15:30:00',
      })
      expect(await one(db, statistics, [idle])).toEqual({
        type: '1',
        rating: '0.00',
        total_assignments: '0',
        completed_assignments: '0',
        avg_score: null,
        last_job_date: null,
      })
    })

    test('no view stands in the way of a change to a primary key', async () => {
      const bound = await column(
        db,
        `select distinct c.relname from pg_depend d
         join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
         join pg_class c on c.oid = r.ev_class
         where d.refclassid = 'pg_constraint'::regclass and c.relnamespace = 'public'::regnamespace`,
      )
      expect(bound).toEqual([])
    })
  })

  describe('Queries of the application', () => {
    const findContractors = `
      with fitting as (
        select c.*
        from contractors c
        where c.status = 1
          and c.type = any (case $1::integer when 1 then array[1, 4] when 2 then array[2, 4] when 3 then array[3, 4] end)
      ),
      distant as (
        select f.*, calculate_distance_miles(
          f.base_location_latitude, f.base_location_longitude, $2::numeric, $3::numeric
        ) as distance
        from fitting f
      )
      select d.name, round(d.distance, 1) as distance
      from distant d
      where is_contractor_available(d.id, $4::timestamp, $5::timestamp)
      order by d.distance`

    test('available contractors for a job: active, of a fitting trade, free, nearest first', async () => {
      await db.query('delete from assignments')
      await db.query('delete from contractors')
      const candidates: [string, string, string, string][] = [
        ['Multi, 10 miles', '4', '1', '32.9214'],
        ['Tile, 20 miles', '2', '1', '33.0662'],
        ['Tile, 5 miles', '2', '1', '32.8491'],
        ['Carpet, next door', '3', '1', '32.7767'],
        ['Flooring, next door', '1', '1', '32.7767'],
        ['Tile, inactive', '2', '2', '32.7767'],
        ['Tile, on leave', '2', '3', '32.7767'],
        ['Tile, taken', '2', '1', '32.7767'],
        ['Tile, day off', '2', '1', '32.7767'],
      ]
      for (const [name, type, status, latitude] of candidates) {
        const contractor = await insert(
          db,
          'contractors',
          aContractor({ name, type, status, base_location_latitude: latitude }),
        )
        await insert(db, 'contractor_working_hours', {
          contractor_id: contractor,
          day_of_week: name.endsWith('day off') ? '2' : '1',
          start_time: '09:00',
          end_time: '17:00',
        })
        if (name.endsWith('taken')) await assign(db, contractor, { status: '2' })
      }
      const forJob = (type: string) =>
        db.query(findContractors, [type, '32.7767', '-96.7970', '2026-11-23 11:00', '2026-11-23 13:00'])
      expect(await forJob('2')).toEqual([
        { name: 'Tile, 5 miles', distance: '5.0' },
        { name: 'Multi, 10 miles', distance: '10.0' },
        { name: 'Tile, 20 miles', distance: '20.0' },
      ])
      expect(await forJob('3')).toEqual([
        { name: 'Carpet, next door', distance: '0.0' },
        { name: 'Multi, 10 miles', distance: '10.0' },
      ])
      expect(await forJob('1')).toEqual([
        { name: 'Flooring, next door', distance: '0.0' },
        { name: 'Multi, 10 miles', distance: '10.0' },
      ])
      // No contractor's trade is asked for by a job type that does not exist.
      expect(await forJob('4')).toEqual([])
    })

    test('the schedule of a contractor in a range of dates', async () => {
      const contractor = await insert(db, 'contractors', aContractor({ name: 'Ann' }))
      const slots: [string, string, string, string][] = [
        ['IN-SECOND', '2026-11-24 09:00', '2026-11-24 11:00', '3'],
        ['IN-FIRST', '2026-11-23 00:00', '2026-11-23 02:00', '2'],
        ['BEFORE', '2026-11-22 23:00', '2026-11-23 01:00', '2'],
        ['AFTER', '2026-11-29 23:00', '2026-11-30 01:00', '2'],
        ['PENDING', '2026-11-25 09:00', '2026-11-25 11:00', '1'],
        ['CANCELLED', '2026-11-25 09:00', '2026-11-25 11:00', '5'],
      ]
      for (const [number, start, end, status] of slots) {
        const job = await insert(db, 'jobs', aJob({ job_number: number }))
        const slot = { status, scheduled_start_time: start, scheduled_end_time: end }
        await insert(db, 'assignments', anAssignment(job, contractor, slot))
      }
      const rows = await db.query(
        `select c.name as contractor_name, a.scheduled_start_time::date as date, a.scheduled_start_time,
           a.scheduled_end_time, j.job_number, j.location_address
         from assignments a
         join contractors c on c.id = a.contractor_id
         join jobs j on j.id = a.job_id
         where c.id = $1 and a.scheduled_start_time >= $2 and a.scheduled_end_time <= $3 and a.status in (2, 3)
         order by a.scheduled_start_time`,
        [contractor, '2026-11-23', '2026-11-30'],
      )
      expect(rows).toEqual([
        {
          contractor_name: 'Ann',
          date: '2026-11-23',
          scheduled_start_time: '2026-11-23 00:00:00',
          scheduled_end_time: '2026-11-23 02:00:00',
          job_number: 'IN-FIRST',
          location_address: '2 Pecan Street',
        },
        {
          contractor_name: 'Ann',
          date: '2026-11-24',
          scheduled_start_time: '2026-11-24 09:00:00',
          scheduled_end_time: '2026-11-24 11:00:00',
          job_number: 'IN-SECOND',
          location_address: '2 Pecan Street',
        },
      ])
    })

    test('a name is found with a slip of the pen', async () => {
      await insert(db, 'contractors', aContractor({ name: 'Bluebonnet Interiors' }))
      expect(await column(db, "select name from contractors where name % 'Bluebonet Interior'")).toEqual([
        'Bluebonnet Interiors',
      ])
    })
  })
})

describeSystem('smartscheduler', { seed: ['reference', 'sample'] }, (db) => {
  describe('Seeds', () => {
    test('the three accounts, which let nobody in', async () => {
      const accounts = await db.query(
        `select email, role, status, password_hash from users
         where email in ('dispatcher@example.com', 'manager@example.com', 'admin@example.com') order by role`,
      )
      expect(accounts).toEqual([
        { email: 'dispatcher@example.com', role: '1', status: '1', password_hash: '!disabled' },
        { email: 'manager@example.com', role: '2', status: '1', password_hash: '!disabled' },
        { email: 'admin@example.com', role: '3', status: '1', password_hash: '!disabled' },
      ])
      expect(await value(db, "select count(*) from users where password_hash <> '!disabled'")).toBe('0')
    })

    test.each(Object.keys(views))('%s has rows', async (view) => {
      expect(Number(await value(db, `select count(*) from ${view}`))).toBeGreaterThan(0)
    })

    test.each([
      ['contractors', 'type', '{1,2,3,4}'],
      ['contractors', 'status', '{1,2,3}'],
      ['contractor_working_hours', 'day_of_week', '{0,1,2,3,4,5,6}'],
      ['jobs', 'type', '{1,2,3}'],
      ['jobs', 'status', '{1,2,3,4,5}'],
      ['jobs', 'priority', '{1,2,3,4}'],
      ['assignments', 'status', '{1,2,3,4,5}'],
      ['users', 'role', '{1,2,3}'],
      ['users', 'status', '{1,2,3}'],
      ['audit_logs', 'action', '{DELETE,INSERT,UPDATE}'],
    ])('%s.%s occurs with every value', async (table, name, all) => {
      expect(await value(db, `select array_agg(distinct ${name} order by ${name}) from ${table}`)).toBe(all)
    })

    test('every nullable column occurs empty and filled', async () => {
      const nullable = await db.query(
        `select own.relname, a.attname from (${ownRelations}) own
         join pg_attribute a on a.attrelid = own.oid
         where own.relkind = 'r' and a.attnum > 0 and not a.attisdropped and not a.attnotnull`,
      )
      expect(nullable.length).toBeGreaterThan(0)
      const oneSided: string[] = []
      for (const { relname, attname } of nullable) {
        const name = `${String(relname)}.${String(attname)}`
        const counts = await one(
          db,
          `select count(*) filter (where "${String(attname)}" is null) > 0 as empty,
             count("${String(attname)}") > 0 as filled
           from ${String(relname)}`,
        )
        if (counts['empty'] !== 't' || counts['filled'] !== 't') oneSided.push(name)
      }
      expect(oneSided).toEqual([])
    })

    test('somebody works every day of the week, and planned work lies within working hours', async () => {
      expect(
        Number(
          await value(
            db,
            `select count(*) from (
               select contractor_id from contractor_working_hours group by contractor_id having count(*) = 7
             ) full_week`,
          ),
        ),
      ).toBeGreaterThan(0)
      const outside = await column(
        db,
        `select j.job_number from assignments a join jobs j on j.id = a.job_id
         where a.status in (1, 2, 3) and not exists (
           select from contractor_working_hours h
           where h.contractor_id = a.contractor_id
             and h.day_of_week = extract(dow from a.scheduled_start_time)
             and a.scheduled_start_time >= a.scheduled_start_time::date + h.start_time
             and a.scheduled_end_time <= a.scheduled_start_time::date + h.end_time
         )`,
      )
      expect(outside).toEqual([])
    })

    test('no contractor is in two places at once', async () => {
      const clashes = await db.query(
        `select from assignments a join assignments b on b.contractor_id = a.contractor_id and b.id <> a.id
         where a.status in (2, 3) and b.status in (2, 3)
           and a.scheduled_start_time < b.scheduled_end_time and a.scheduled_end_time > b.scheduled_start_time`,
      )
      expect(clashes).toEqual([])
    })

    test('audit rows name users there are, and nothing has happened in the future', async () => {
      expect(
        await column(
          db,
          `select user_id from audit_logs l
           where user_id is not null and not exists (select from users u where u.id = l.user_id)`,
        ),
      ).toEqual([])
      const early = await value(
        db,
        `select count(*) from assignments
         where greatest(created_at, confirmed_at, started_at, completed_at) > ${utcNow}`,
      )
      expect(early).toBe('0')
    })
  })
})

describe('SmartScheduler on a server without PostGIS', () => {
  test('the first migration says what is missing and how to get it', async () => {
    const path = new URL('../../sql/smartscheduler/migrations/0001_extensions.up.sql', import.meta.url)
    const migration = await readFile(path, 'utf8')
    const engine = new PGlite({ extensions: { uuid_ossp, pg_trgm } })
    try {
      await expect(engine.exec(migration)).rejects.toMatchObject({
        code: '0A000',
        message: 'this PostgreSQL server does not offer: postgis',
        hint: expect.stringMatching(
          /Install PostGIS.*postgresql-\d+-postgis-3.*@electric-sql\/pglite-postgis/,
        ),
      })
    } finally {
      await engine.close()
    }
  })
})
