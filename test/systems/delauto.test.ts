import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { postgis } from '@electric-sql/pglite-postgis'
import { describe, expect, test } from '@jest/globals'
import { describeSystem, type SystemDatabase } from '../support/systems.js'

const migration = (file: string) =>
  readFile(new URL(`../../sql/delauto/migrations/${file}.sql`, import.meta.url), 'utf8')

/** Statements of a file without any semicolon inside a statement. */
const statements = async (file: string) =>
  (await migration(file)).split(/;\n/).filter((statement) => !/^(\s*(--.*)?\n?)*$/.test(statement))

// What the model states, a column a line: name, type, ! for NOT NULL, and the default.
const columns = {
  agents: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    name text!
    phone text!
    email text!
    password text!
    role text! = 'agent'
    active_deliveries integer! = 0
    current_longitude float8
    current_latitude float8
    current_location geography(Point,4326) generated
    is_active boolean! = true
    push_subscription jsonb
    last_login timestamptz
    login_count integer! = 0
    performance_metrics_total_deliveries integer! = 0
    performance_metrics_successful_deliveries integer! = 0
    performance_metrics_average_rating numeric! = 0
    performance_metrics_response_time numeric! = 0
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  api_keys: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    key text!
    name text!
    description text
    environment text! = 'development'
    permissions text[]! = '{}'
    rate_limit_requests integer! = 1000
    rate_limit_period bigint! = 900000
    is_active boolean! = true
    created_by uuid
    last_used_at timestamptz
    usage_count bigint! = 0
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  call_log_webhook_events: `
    call_log_id uuid!
    position integer!
    event text
    timestamp timestamptz! = CURRENT_TIMESTAMP
    data jsonb`,
  call_logs: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    delivery_id uuid!
    call_sid text!
    status text!
    from_number text!
    to_number text!
    direction text! = 'outbound'
    start_time timestamptz
    end_time timestamptz
    duration numeric
    recording_url text
    recording_duration numeric
    transcription text
    ai_analysis_sentiment text
    ai_analysis_keywords text[]! = '{}'
    ai_analysis_instructions text
    ai_analysis_priority text
    ai_analysis_confidence_score numeric
    error_code text
    error_message text
    retry_count integer! = 0
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  customer_call_history: `
    customer_id uuid!
    position integer!
    call_log_id uuid
    timestamp timestamptz
    status text
    duration numeric`,
  customers: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    name text!
    phone text!
    email text
    address text
    preferences_preferred_times text[]! = '{}'
    preferences_preferred_days text[]! = '{}'
    preferences_delivery_instructions text
    preferences_contact_method text! = 'call'
    preferences_language text! = 'en'
    preferences_timezone text! = 'America/New_York'
    total_deliveries integer! = 0
    successful_deliveries integer! = 0
    last_delivery_date timestamptz
    customer_rating numeric
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  deliveries: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    customer_id uuid!
    agent_id uuid
    address text!
    longitude float8!
    latitude float8!
    coordinates geography(Point,4326)! generated
    scheduled_time timestamptz!
    estimated_duration numeric! = 30
    status text! = 'scheduled'
    priority text! = 'normal'
    priority_rank smallint! generated
    package_details_weight numeric
    package_details_dimensions_length numeric
    package_details_dimensions_width numeric
    package_details_dimensions_height numeric
    package_details_value numeric
    package_details_fragile boolean! = false
    package_details_signature_required boolean! = false
    package_details_special_instructions text
    call_log_id uuid
    recording_id uuid
    actual_delivery_time timestamptz
    customer_feedback_rating numeric
    customer_feedback_comments text
    retry_count integer! = 0
    max_retries integer! = 3
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  delivery_tracking_events: `
    delivery_id uuid!
    position integer!
    status text
    timestamp timestamptz! = CURRENT_TIMESTAMP
    location jsonb
    notes text`,
  recording_entities: `
    recording_id uuid!
    position integer!
    type text
    value text
    confidence numeric`,
  recordings: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    call_log_id uuid!
    delivery_id uuid!
    audio_url text!
    duration numeric!
    file_size bigint
    format text! = 'mp3'
    transcription_text text
    transcription_confidence numeric
    transcription_language text! = 'en'
    transcription_processing_time numeric
    ai_analysis_sentiment text
    ai_analysis_keywords text[]! = '{}'
    ai_analysis_instructions text
    ai_analysis_priority text
    ai_analysis_summary text
    processing_status text! = 'pending'
    processing_attempts integer! = 0
    last_processed_at timestamptz
    error_message text
    access_count integer! = 0
    last_accessed_at timestamptz
    created_at timestamptz! = CURRENT_TIMESTAMP
    updated_at timestamptz! = CURRENT_TIMESTAMP`,
  system_metrics: `
    id uuid! = gen_random_uuid()
    mongo_id varchar(24)
    timestamp timestamptz! = CURRENT_TIMESTAMP
    metric_type text!
    value float8!
    unit text
    tags jsonb
    source text! = 'application'`,
  v_agent_delivery_success_rate: `
    agent_id uuid
    total bigint
    successful bigint
    success_rate numeric`,
}

// The model's 33 index declarations without the five unique ones, and the four for references it left unindexed.
const indexes = `
  idx_agents_current_location agents gist (current_location)
  idx_agents_is_active agents btree (is_active)
  idx_agents_role agents btree (role)
  idx_agents_total_deliveries agents btree (performance_metrics_total_deliveries DESC)
  idx_api_keys_created_by api_keys btree (created_by)
  idx_call_logs_created_at call_logs btree (created_at DESC)
  idx_call_logs_delivery_id call_logs btree (delivery_id)
  idx_call_logs_sentiment call_logs btree (ai_analysis_sentiment)
  idx_call_logs_start_time call_logs btree (start_time)
  idx_call_logs_status call_logs btree (status)
  idx_customer_call_history_call_log_id customer_call_history btree (call_log_id)
  idx_customers_email customers btree (email)
  idx_customers_last_delivery_date customers btree (last_delivery_date DESC NULLS LAST)
  idx_customers_preferred_days customers gin (preferences_preferred_days)
  idx_customers_total_deliveries customers btree (total_deliveries DESC)
  idx_deliveries_agent_id deliveries btree (agent_id)
  idx_deliveries_call_log_id deliveries btree (call_log_id)
  idx_deliveries_coordinates deliveries gist (coordinates)
  idx_deliveries_created_at deliveries btree (created_at DESC)
  idx_deliveries_customer_id deliveries btree (customer_id)
  idx_deliveries_fragile deliveries btree (package_details_fragile)
  idx_deliveries_priority_rank deliveries btree (priority_rank DESC)
  idx_deliveries_recording_id deliveries btree (recording_id)
  idx_deliveries_scheduled_time deliveries btree (scheduled_time)
  idx_deliveries_status deliveries btree (status)
  idx_recordings_created_at recordings btree (created_at DESC)
  idx_recordings_delivery_id recordings btree (delivery_id)
  idx_recordings_processing_status recordings btree (processing_status)
  idx_recordings_transcription_confidence recordings btree (transcription_confidence DESC NULLS LAST)
  idx_system_metrics_metric_type_timestamp system_metrics btree (metric_type, "timestamp" DESC)
  idx_system_metrics_source_timestamp system_metrics btree (source, "timestamp" DESC)
  idx_system_metrics_timestamp system_metrics btree ("timestamp" DESC)`

const references = `
  api_keys.created_by -> agents ON DELETE SET NULL
  call_log_webhook_events.call_log_id -> call_logs ON DELETE CASCADE
  call_logs.delivery_id -> deliveries DEFERRABLE INITIALLY DEFERRED
  customer_call_history.call_log_id -> call_logs ON DELETE SET NULL
  customer_call_history.customer_id -> customers ON DELETE CASCADE
  deliveries.agent_id -> agents ON DELETE SET NULL
  deliveries.call_log_id -> call_logs ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED
  deliveries.customer_id -> customers
  deliveries.recording_id -> recordings ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED
  delivery_tracking_events.delivery_id -> deliveries ON DELETE CASCADE
  recording_entities.recording_id -> recordings ON DELETE CASCADE
  recordings.call_log_id -> call_logs DEFERRABLE INITIALLY DEFERRED
  recordings.delivery_id -> deliveries DEFERRABLE INITIALLY DEFERRED`

const priorities = ['low', 'normal', 'high', 'urgent']
const sentiments = ['positive', 'neutral', 'negative']

// Table, column, the values let in, and likely mistakes: another spelling, case, or a neighbour's value.
const lists: readonly [string, string, readonly string[], readonly string[]][] = [
  ['agents', 'role', ['agent', 'admin'], ['Agent', 'customer', '']],
  ['customers', 'preferences_contact_method', ['call', 'sms', 'both'], ['email', 'SMS', '']],
  [
    'deliveries',
    'status',
    ['scheduled', 'assigned', 'in_transit', 'completed', 'failed', 'cancelled'],
    ['canceled', 'in-transit', 'pending', ''],
  ],
  ['deliveries', 'priority', priorities, ['medium', 'Normal', '']],
  [
    'call_logs',
    'status',
    ['queued', 'ringing', 'in-progress', 'completed', 'busy', 'no-answer', 'failed', 'canceled'],
    ['cancelled', 'in_progress', 'no_answer', ''],
  ],
  ['call_logs', 'direction', ['outbound', 'inbound'], ['outbound-api', '']],
  ['call_logs', 'ai_analysis_sentiment', sentiments, ['mixed', 'POSITIVE', '']],
  ['call_logs', 'ai_analysis_priority', priorities, ['medium', '']],
  ['recordings', 'ai_analysis_sentiment', sentiments, ['mixed', 'POSITIVE', '']],
  ['recordings', 'ai_analysis_priority', priorities, ['medium', '']],
  ['recordings', 'processing_status', ['pending', 'processing', 'completed', 'failed'], ['queued', '']],
  ['api_keys', 'environment', ['development', 'staging', 'production'], ['test', 'prod', '']],
]

// Table, column, values inside and outside the bounds.
const bounds: readonly [string, string, readonly string[], readonly string[]][] = [
  ['customers', 'customer_rating', ['1', '4.5', '5'], ['0.99', '5.01', '0', 'NaN']],
  ['deliveries', 'customer_feedback_rating', ['1', '4.5', '5'], ['0.99', '5.01', '0', 'NaN']],
  ['call_logs', 'ai_analysis_confidence_score', ['0', '0.5', '1'], ['-0.01', '1.01', '95']],
  ['recordings', 'transcription_confidence', ['0', '0.5', '1'], ['-0.01', '1.01', '95']],
  ['deliveries', 'longitude', ['-180', '-74.006', '180'], ['-180.01', '200', 'NaN', 'Infinity']],
  ['deliveries', 'latitude', ['-90', '40.7128', '90'], ['-90.01', '100', 'NaN', '-Infinity']],
]

const required: readonly [string, readonly string[]][] = [
  ['agents', ['name', 'phone', 'email', 'password']],
  ['customers', ['name', 'phone']],
  ['deliveries', ['address']],
  ['call_logs', ['call_sid', 'from_number', 'to_number']],
  ['recordings', ['audio_url']],
  ['api_keys', ['key', 'name']],
  ['system_metrics', ['metric_type']],
]

const stamped = ['agents', 'customers', 'deliveries', 'call_logs', 'recordings', 'api_keys']

const agent = '00000000-0000-4000-8000-00000000000a'
const customer = '00000000-0000-4000-8000-00000000000b'
const delivery = '00000000-0000-4000-8000-00000000000c'
const call = '00000000-0000-4000-8000-00000000000d'
const recording = '00000000-0000-4000-8000-00000000000e'
const nobody = '00000000-0000-4000-8000-0000000000ff'

// One row a table with what is required and no more, the circle's references in an order that only works deferred.
const insert = {
  agent: `insert into agents (id, name, phone, email, password)
    values ('${agent}', 'Ann', '+12125550101', 'ann@example.com', '!disabled')`,
  customer: `insert into customers (id, name, phone) values ('${customer}', 'Carl', '+12125550102')`,
  recording: `insert into recordings (id, call_log_id, delivery_id, audio_url, duration)
    values ('${recording}', '${call}', '${delivery}', 'https://audio.example.com/1.mp3', 44.2)`,
  call: `insert into call_logs (id, delivery_id, call_sid, status, from_number, to_number)
    values ('${call}', '${delivery}', 'CA1', 'queued', '+12125550199', '+12125550102')`,
  delivery: `insert into deliveries (id, customer_id, agent_id, address, longitude, latitude, scheduled_time)
    values ('${delivery}', '${customer}', '${agent}', '1 Main Street', -74.006, 40.7128, '2025-10-26 14:00:00Z')`,
  apiKey: `insert into api_keys (key, name, created_by) values ('!disabled', 'Shop', '${agent}')`,
  metric: `insert into system_metrics (metric_type, value) values ('api_response_time', 181.5)`,
}

async function fill(db: SystemDatabase): Promise<void> {
  for (const statement of Object.values(insert)) await db.query(statement)
  await db.query('set constraints all immediate')
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim())

describeSystem('delauto', (db) => {
  describe('catalog', () => {
    // Extension members (PostGIS brings tables and views of its own) are not the system's.
    const own = (catalog: string, object: string) =>
      `not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${object} and deptype = 'e')`

    test('has eleven tables and a view with the columns of the model', async () => {
      const rows = await db.query(`
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
          a.attgenerated as generated, pg_get_expr(d.adbin, d.adrelid) as expression
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
          and ${own('pg_class', 'c.oid')}
        order by c.relname, a.attnum`)
      const found: Record<string, string[]> = {}
      for (const row of rows) {
        const type = String(row['type'])
          .replace('timestamp with time zone', 'timestamptz')
          .replace('character varying', 'varchar')
          .replace('double precision', 'float8')
        const expression = String(row['expression']).replace(/::text(\[\])?$/, '')
        const kept = row['expression'] == null ? '' : ` = ${expression}`
        const tail = row['generated'] === 's' ? ' generated' : kept
        const table = (found[String(row['relname'])] ??= [])
        table.push(`${String(row['attname'])} ${type}${row['required'] === 't' ? '!' : ''}${tail}`)
      }
      expect(found).toEqual(
        Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, lines(text)])),
      )
      const tables = Object.keys(found).filter((name) => !name.startsWith('v_'))
      expect(tables).toHaveLength(11)
      expect(tables.flatMap((name) => found[name] ?? [])).toHaveLength(163)
    })

    test('has the documented indexes and those of the references', async () => {
      const rows = await db.query(`
        select indexname || ' ' || tablename || ' ' || substring(indexdef from 'USING (.*)$') as line
        from pg_indexes where schemaname = 'public' and indexname like 'idx\\_%' order by indexname collate "C"`)
      expect(rows.map((row) => row['line'])).toEqual(lines(indexes))
    })

    test('leaves no index but the primary keys, unique constraints and idx_ ones', async () => {
      const rows = await db.query(`
        select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
        where t.relnamespace = 'public'::regnamespace and ${own('pg_class', 't.oid')} and i.relname not like 'idx\\_%'
          and not exists (select from pg_constraint where conindid = i.oid and conname = i.relname and contype in ('p', 'u'))`)
      expect(rows).toEqual([])
    })

    test('has the references of the model and of the child tables', async () => {
      const rows = await db.query(`
        select c.conrelid::regclass || '.' || a.attname || ' -> '
          || replace(substring(pg_get_constraintdef(c.oid) from 'REFERENCES (.*)$'), '(id)', '') as line,
          c.conname = c.conrelid::regclass || '_' || a.attname || '_fkey' as named
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.connamespace = 'public'::regnamespace
        order by (c.conrelid::regclass || '.' || a.attname) collate "C"`)
      expect(rows.map((row) => row['line'])).toEqual(lines(references))
      expect(rows.map((row) => row['named'])).toEqual(rows.map(() => 't'))
    })

    test('has an index that begins with each referring column', async () => {
      const rows = await db.query(`
        select conname from pg_constraint c where contype = 'f' and connamespace = 'public'::regnamespace
          and not exists (select from pg_index x where x.indrelid = c.conrelid and x.indkey[0] = c.conkey[1])`)
      expect(rows).toEqual([])
    })

    test('has six triggers and one function', async () => {
      const triggers = await db.query(`
        select tgname, tgrelid::regclass::text as table, pg_get_triggerdef(oid) as definition
        from pg_trigger where not tgisinternal order by tgname`)
      expect(triggers.map((row) => [row['tgname'], row['table']])).toEqual(
        stamped.map((table) => [`update_${table}_updated_at`, table]).sort(),
      )
      for (const row of triggers) {
        expect(row['definition']).toMatch(
          /BEFORE UPDATE ON .* FOR EACH ROW EXECUTE FUNCTION update_updated_at_column\(\)/,
        )
      }
      const functions = await db.query(`
        select oid::regprocedure::text as name from pg_proc p
        where pronamespace = 'public'::regnamespace and ${own('pg_proc', 'p.oid')}`)
      expect(functions).toEqual([{ name: 'update_updated_at_column()' }])
    })

    test('explains every table, column, view, function and trigger', async () => {
      const rows = await db.query(`
        select c.relname || coalesce('.' || a.attname, '') as object
        from pg_class c
        left join lateral (
          select null::name as attname, 0 as attnum
          union all
          select attname, attnum from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
        ) a on true
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
          and ${own('pg_class', 'c.oid')}
          and coalesce(case when a.attnum = 0 then obj_description(c.oid, 'pg_class') else col_description(c.oid, a.attnum) end, '') = ''
        union all
        select oid::regprocedure::text from pg_proc p
        where pronamespace = 'public'::regnamespace and ${own('pg_proc', 'p.oid')}
          and obj_description(oid, 'pg_proc') is null
        union all
        select tgname from pg_trigger where not tgisinternal and obj_description(oid, 'pg_trigger') is null`)
      expect(rows).toEqual([])
    })

    test('warns of the clear text in api_keys.key', async () => {
      const [row] = await db.query(`
        select col_description('api_keys'::regclass, attnum) as comment
        from pg_attribute where attrelid = 'api_keys'::regclass and attname = 'key'`)
      expect(row?.['comment']).toMatch(/clear text/)
    })
  })

  describe('values', () => {
    test.each(lists)('%s.%s takes its listed values and no others', async (table, column, listed, others) => {
      await fill(db)
      for (const value of listed) await db.query(`update ${table} set ${column} = $1`, [value])
      for (const value of others) {
        await db.refuses(`update ${table} set ${column} = '${value}'`, '23514', `${table}_${column}_check`)
      }
    })

    test.each(bounds)('%s.%s keeps its bounds', async (table, column, inside, outside) => {
      await fill(db)
      for (const value of inside) await db.query(`update ${table} set ${column} = ${value}`)
      for (const value of outside) {
        await db.refuses(`update ${table} set ${column} = '${value}'`, '23514', `${table}_${column}_check`)
      }
    })

    test.each(required)('%s needs its required strings', async (table, names) => {
      await fill(db)
      for (const column of names) {
        await db.refuses(`update ${table} set ${column} = ''`, '23514', `${table}_${column}_check`)
        await db.refuses(`update ${table} set ${column} = null`, '23502', column)
      }
    })

    test('a call has no status unless one is given', async () => {
      await fill(db)
      await db.refuses(
        `insert into call_logs (delivery_id, call_sid, from_number, to_number) values ('${delivery}', 'CA2', '1', '2')`,
        '23502',
        'status',
      )
    })

    test('columns with a default refuse null, so that no status or priority is ever unknown', async () => {
      await fill(db)
      for (const [table, text] of Object.entries(columns)) {
        for (const line of lines(text)) {
          const [, column = ''] = / = /.test(line) ? (/^(\w+) /.exec(line) ?? []) : []
          if (column === '' || table.endsWith('_events') || table.startsWith('v_')) continue
          // The trigger sets updated_at whatever the statement says.
          if (column === 'updated_at') continue
          await db.refuses(`update ${table} set ${column} = null`, '23502', column)
        }
      }
    })

    test('the defaults are those of the model', async () => {
      await fill(db)
      expect(
        await db.query(`
          select role, active_deliveries, is_active, login_count, performance_metrics_total_deliveries as total,
            performance_metrics_successful_deliveries as successful, performance_metrics_average_rating as rating,
            performance_metrics_response_time as response
          from agents`),
      ).toEqual([
        {
          ...{ role: 'agent', active_deliveries: '0', is_active: 't', login_count: '0' },
          ...{ total: '0', successful: '0', rating: '0', response: '0' },
        },
      ])
      expect(
        await db.query(`
          select preferences_preferred_times as times, preferences_preferred_days as days,
            preferences_contact_method as method, preferences_language as language, preferences_timezone as zone,
            total_deliveries, successful_deliveries, customer_rating
          from customers`),
      ).toEqual([
        {
          ...{ times: '{}', days: '{}', method: 'call', language: 'en', zone: 'America/New_York' },
          ...{ total_deliveries: '0', successful_deliveries: '0', customer_rating: null },
        },
      ])
      expect(
        await db.query(`
          select estimated_duration, status, priority, priority_rank, package_details_fragile as fragile,
            package_details_signature_required as signature, retry_count, max_retries
          from deliveries`),
      ).toEqual([
        {
          ...{ estimated_duration: '30', status: 'scheduled', priority: 'normal', priority_rank: '2' },
          ...{ fragile: 'f', signature: 'f', retry_count: '0', max_retries: '3' },
        },
      ])
      expect(await db.query('select direction, retry_count, ai_analysis_keywords from call_logs')).toEqual([
        { direction: 'outbound', retry_count: '0', ai_analysis_keywords: '{}' },
      ])
      expect(
        await db.query(`
          select duration, format, transcription_language as language, processing_status, processing_attempts, access_count
          from recordings`),
      ).toEqual([
        {
          ...{ duration: '44.2', format: 'mp3', language: 'en' },
          ...{ processing_status: 'pending', processing_attempts: '0', access_count: '0' },
        },
      ])
      expect(
        await db.query(`
          select environment, permissions, rate_limit_requests, rate_limit_period, is_active, usage_count from api_keys`),
      ).toEqual([
        {
          ...{ environment: 'development', permissions: '{}', rate_limit_requests: '1000' },
          ...{ rate_limit_period: '900000', is_active: 't', usage_count: '0' },
        },
      ])
      expect(await db.query('select value, source, "timestamp" = now() as now from system_metrics')).toEqual([
        { value: '181.5', source: 'application', now: 't' },
      ])
    })

    test('events take the time of recording unless one is given', async () => {
      await fill(db)
      await db.query(
        `insert into delivery_tracking_events (delivery_id, "position") values ('${delivery}', 0)`,
      )
      await db.query(`insert into call_log_webhook_events (call_log_id, "position") values ('${call}', 0)`)
      expect(
        await db.query(`
          select t."timestamp" = now() as tracked, w."timestamp" = now() as reported
          from delivery_tracking_events t, call_log_webhook_events w`),
      ).toEqual([{ tracked: 't', reported: 't' }])
    })

    test('phones, mail addresses of agents, calls, recordings of a call and keys are unique', async () => {
      await fill(db)
      const again = `insert into agents (name, phone, email, password) values`
      await db.refuses(`${again} ('B', '+12125550101', 'b@example.com', 'x')`, '23505', 'agents_phone_key')
      await db.refuses(`${again} ('B', '+12125550177', 'ann@example.com', 'x')`, '23505', 'agents_email_key')
      await db.refuses(
        `insert into customers (name, phone) values ('D', '+12125550102')`,
        '23505',
        'customers_phone_key',
      )
      await db.refuses(
        `insert into call_logs (delivery_id, call_sid, status, from_number, to_number) values ('${delivery}', 'CA1', 'busy', '1', '2')`,
        '23505',
        'call_logs_call_sid_key',
      )
      await db.refuses(
        `insert into recordings (call_log_id, delivery_id, audio_url, duration) values ('${call}', '${delivery}', 'x', 1)`,
        '23505',
        'recordings_call_log_id_key',
      )
      await db.refuses(
        `insert into api_keys (key, name) values ('!disabled', 'Other')`,
        '23505',
        'api_keys_key_key',
      )
    })

    test.each([...stamped, 'system_metrics'])('%s.mongo_id is unique where there is one', async (table) => {
      await fill(db)
      const copy: Record<string, string> = {
        agents: `insert into agents (name, phone, email, password, mongo_id) values ('B', '1', 'b', 'x', $1)`,
        customers: `insert into customers (name, phone, mongo_id) values ('D', '1', $1)`,
        deliveries: `insert into deliveries (customer_id, address, longitude, latitude, scheduled_time, mongo_id)
          values ('${customer}', 'x', 0, 0, now(), $1)`,
        call_logs: `insert into call_logs (delivery_id, call_sid, status, from_number, to_number, mongo_id)
          values ('${delivery}', 'CA2', 'busy', '1', '2', $1)`,
        recordings: `insert into recordings (call_log_id, delivery_id, audio_url, duration, mongo_id)
          values ('${nobody}', '${delivery}', 'x', 1, $1)`,
        api_keys: `insert into api_keys (key, name, mongo_id) values ('other', 'x', $1)`,
        system_metrics: `insert into system_metrics (metric_type, value, mongo_id) values ('x', 1, $1)`,
      }
      const statement = copy[table] ?? ''
      const id = '65a0000000000000000a0001'
      // The copy of the recording names a call that does not exist; nothing here looks at that.
      await db.query('set constraints all deferred')
      await db.query(`update ${table} set mongo_id = $1`, [id])
      await db.refuses(statement.replace('$1', `'${id}'`), '23505', `${table}_mongo_id_key`)
      await db.query(statement.replace('$1', `'65a0000000000000000a0002'`))
    })

    test('customers may share a mail address', async () => {
      await db.query(
        `insert into customers (name, phone, email) values ('A', '1', 'x@example.com'), ('B', '2', 'x@example.com')`,
      )
      expect(await db.query('select count(*) from customers')).toEqual([{ count: '2' }])
    })

    test('large counters, sizes and periods fit', async () => {
      await fill(db)
      await db.query('update api_keys set usage_count = 9007199254740993, rate_limit_period = 2592000000')
      await db.query('update recordings set file_size = 5368709120')
      expect(
        await db.query('select usage_count, rate_limit_period, file_size from api_keys, recordings'),
      ).toEqual([
        { usage_count: '9007199254740993', rate_limit_period: '2592000000', file_size: '5368709120' },
      ])
    })
  })

  describe('places', () => {
    test('a delivery without both coordinates is refused', async () => {
      await fill(db)
      await db.refuses('update deliveries set longitude = null', '23502', 'longitude')
      await db.refuses('update deliveries set latitude = null', '23502', 'latitude')
    })

    test('an agent is somewhere or nowhere, never on half a position', async () => {
      await fill(db)
      expect(await db.query('select current_location from agents')).toEqual([{ current_location: null }])
      await db.refuses('update agents set current_longitude = 1', '23514', 'agents_current_location_check')
      await db.refuses('update agents set current_latitude = 1', '23514', 'agents_current_location_check')
      for (const [longitude, latitude, constraint] of [
        ['200', '1', 'agents_current_longitude_check'],
        ['-180.01', '1', 'agents_current_longitude_check'],
        ['1', '100', 'agents_current_latitude_check'],
        ['1', '-90.01', 'agents_current_latitude_check'],
      ] as const) {
        await db.refuses(
          `update agents set current_longitude = ${longitude}, current_latitude = ${latitude}`,
          '23514',
          constraint,
        )
      }
      await db.query('update agents set current_longitude = -74.006, current_latitude = 40.7128')
      expect(await db.query('select st_astext(current_location) as point from agents')).toEqual([
        { point: 'POINT(-74.006 40.7128)' },
      ])
      await db.query('update agents set current_longitude = null, current_latitude = null')
      expect(await db.query('select current_location from agents')).toEqual([{ current_location: null }])
    })

    test('the point is derived and cannot be written', async () => {
      await fill(db)
      expect(
        await db.query(
          'select st_astext(coordinates) as point, st_srid(coordinates::geometry) as srid from deliveries',
        ),
      ).toEqual([{ point: 'POINT(-74.006 40.7128)', srid: '4326' }])
      await db.refuses(`update deliveries set coordinates = 'POINT(0 0)'`, '428C9', 'coordinates')
      await db.query('update deliveries set longitude = 2.3522, latitude = 48.8566')
      expect(await db.query('select st_astext(coordinates) as point from deliveries')).toEqual([
        { point: 'POINT(2.3522 48.8566)' },
      ])
    })

    test('distances are metres on the globe, also across the date line', async () => {
      await fill(db)
      expect(
        await db.query(`
          select round(st_distance(coordinates, st_setsrid(st_makepoint(2.3522, 48.8566), 4326)::geography) / 1000)::int as km
          from deliveries`),
      ).toEqual([{ km: '5853' }])
      await db.query('update deliveries set longitude = 179.9, latitude = 0')
      expect(
        await db.query(`
          select st_dwithin(coordinates, st_setsrid(st_makepoint(-179.9, 0), 4326)::geography, 25000) as near from deliveries`),
      ).toEqual([{ near: 't' }])
    })

    test('both searches go through the index', async () => {
      await fill(db)
      await db.query('set local enable_seqscan = off')
      const here = 'st_setsrid(st_makepoint(-74, 40.7), 4326)::geography'
      for (const [table, column] of [
        ['deliveries', 'coordinates'],
        ['agents', 'current_location'],
      ] as const) {
        for (const query of [
          `select id from ${table} where st_dwithin(${column}, ${here}, 5000)`,
          `select id from ${table} order by ${column} <-> ${here} limit 3`,
        ]) {
          const plan = await db.query(`explain (costs off) ${query}`)
          expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain(`idx_${table}_${column}`)
        }
      }
    })
  })

  describe('priority', () => {
    test('sorts by urgency, not by the alphabet', async () => {
      await fill(db)
      for (const priority of priorities) {
        await db.query(
          `insert into deliveries (customer_id, address, longitude, latitude, scheduled_time, priority)
           values ('${customer}', 'x', 0, 0, now(), $1)`,
          [priority],
        )
      }
      expect(
        await db.query('select distinct priority, priority_rank from deliveries order by priority_rank desc'),
      ).toEqual([
        { priority: 'urgent', priority_rank: '4' },
        { priority: 'high', priority_rank: '3' },
        { priority: 'normal', priority_rank: '2' },
        { priority: 'low', priority_rank: '1' },
      ])
      await db.refuses('update deliveries set priority_rank = 4', '428C9', 'priority_rank')
    })

    test('goes back and forth through its migration without losing a chosen one', async () => {
      await fill(db)
      await db.query(`delete from recordings`)
      await db.query(`delete from call_logs`)
      await db.query(`delete from deliveries`)
      const add = (address: string, priority: string) =>
        db.query(
          `insert into deliveries (customer_id, address, longitude, latitude, scheduled_time, priority, updated_at)
           values ('${customer}', '${address}', 0, 0, now(), ${priority}, '2025-01-01 00:00:00Z')`,
        )
      const read = () =>
        db.query(`
          select address, priority, priority_rank, updated_at = '2025-01-01 00:00:00Z' as untouched
          from deliveries order by address`)
      const run = async (file: string) => {
        for (const statement of await statements(file)) await db.query(statement)
      }
      for (const priority of priorities) await add(priority, `'${priority}'`)
      const after = await read()

      await run('0012_add_delivery_priority.down')
      expect(await read()).toEqual([
        { address: 'high', priority: 'high', priority_rank: '3', untouched: 't' },
        { address: 'low', priority: 'low', priority_rank: '1', untouched: 't' },
        { address: 'normal', priority: null, priority_rank: '2', untouched: 't' },
        { address: 'urgent', priority: 'urgent', priority_rank: '4', untouched: 't' },
      ])
      await add('unsaid', 'null')
      await db.query('set constraints all immediate')
      const before = await read()

      await run('0012_add_delivery_priority.up')
      expect(await read()).toEqual([
        ...after.slice(0, 3),
        { address: 'unsaid', priority: 'normal', priority_rank: '2', untouched: 't' },
        ...after.slice(3),
      ])
      await run('0012_add_delivery_priority.down')
      expect(await read()).toEqual(before)
    })
  })

  describe('references', () => {
    test('delivery, call and recording may be stored in any order within a transaction', async () => {
      const { agent: first, customer: second, delivery: parcel, call: talk, recording: audio } = insert
      for (const order of [
        [audio, talk, parcel],
        [parcel, talk, audio],
        [talk, audio, parcel],
      ]) {
        await db.query('savepoint before_this_order')
        for (const statement of [first, second, ...order]) await db.query(statement)
        await db.query(`update deliveries set call_log_id = '${call}', recording_id = '${recording}'`)
        await db.query('set constraints all immediate')
        expect(await db.query('select call_log_id, recording_id from deliveries')).toEqual([
          { call_log_id: call, recording_id: recording },
        ])
        await db.query('rollback to savepoint before_this_order')
      }
    })

    test('the circle is checked in the end', async () => {
      await fill(db)
      for (const [table, column] of [
        ['deliveries', 'call_log_id'],
        ['deliveries', 'recording_id'],
        ['call_logs', 'delivery_id'],
        ['recordings', 'call_log_id'],
        ['recordings', 'delivery_id'],
      ] as const) {
        await db.query('set constraints all deferred')
        await db.query(`savepoint dangling`)
        await db.query(`update ${table} set ${column} = '${nobody}'`)
        await db.refuses('set constraints all immediate', '23503', `${table}_${column}_fkey`)
        await db.query(`rollback to savepoint dangling`)
      }
    })

    test('a delivery needs an existing customer, at once', async () => {
      await fill(db)
      await db.refuses(
        `update deliveries set customer_id = '${nobody}'`,
        '23503',
        'deliveries_customer_id_fkey',
      )
      await db.refuses(`update deliveries set agent_id = '${nobody}'`, '23503', 'deliveries_agent_id_fkey')
      await db.refuses('update deliveries set customer_id = null', '23502', 'customer_id')
      await db.refuses(`delete from customers`, '23503', 'deliveries_customer_id_fkey')
    })

    test('several calls belong to one delivery, which names the current one', async () => {
      await fill(db)
      await db.query(`insert into call_logs (delivery_id, call_sid, status, from_number, to_number)
        values ('${delivery}', 'CA2', 'no-answer', '1', '2'), ('${delivery}', 'CA3', 'completed', '1', '2')`)
      await db.query(`update deliveries set call_log_id = (select id from call_logs where call_sid = 'CA3')`)
      expect(
        await db.query(`
          select count(*) as calls, count(*) filter (where c.id = d.call_log_id) as current
          from deliveries d join call_logs c on c.delivery_id = d.id`),
      ).toEqual([{ calls: '3', current: '1' }])
    })

    test('deleting an agent, a call or a recording keeps the delivery', async () => {
      await fill(db)
      await db.query(`update deliveries set call_log_id = '${call}', recording_id = '${recording}'`)
      await db.query(`insert into customer_call_history (customer_id, "position", call_log_id, status)
        values ('${customer}', 0, '${call}', 'completed')`)
      await db.query('delete from recordings')
      await db.query('delete from call_logs')
      await db.query('delete from agents')
      await db.query('set constraints all immediate')
      expect(await db.query('select agent_id, call_log_id, recording_id from deliveries')).toEqual([
        { agent_id: null, call_log_id: null, recording_id: null },
      ])
      expect(await db.query('select created_by from api_keys')).toEqual([{ created_by: null }])
      expect(await db.query('select call_log_id, status from customer_call_history')).toEqual([
        { call_log_id: null, status: 'completed' },
      ])
    })

    test('a delivery with calls, or a call with a recording, is not deleted alone, but the whole circle is', async () => {
      await fill(db)
      await db.refuses('delete from deliveries', '23503')
      await db.refuses('delete from call_logs', '23503', 'recordings_call_log_id_fkey')
      await db.query('set constraints all deferred')
      await db.query('delete from deliveries')
      await db.query('delete from call_logs')
      await db.query('delete from recordings')
      await db.query('set constraints all immediate')
      expect(await db.query('select count(*) from deliveries')).toEqual([{ count: '0' }])
    })

    test('events, entities and call history go with what they belong to', async () => {
      await fill(db)
      await db.query(
        `insert into delivery_tracking_events (delivery_id, "position") values ('${delivery}', 0), ('${delivery}', 1)`,
      )
      await db.query(`insert into call_log_webhook_events (call_log_id, "position") values ('${call}', 0)`)
      await db.query(`insert into recording_entities (recording_id, "position") values ('${recording}', 0)`)
      await db.query(`insert into customer_call_history (customer_id, "position") values ('${customer}', 0)`)
      for (const [table, column, parent] of [
        ['delivery_tracking_events', 'delivery_id', delivery],
        ['call_log_webhook_events', 'call_log_id', call],
        ['recording_entities', 'recording_id', recording],
        ['customer_call_history', 'customer_id', customer],
      ] as const) {
        const into = `insert into ${table} (${column}, "position") values`
        await db.refuses(`${into} ('${parent}', 0)`, '23505', `${table}_pkey`)
        await db.refuses(`${into} ('${parent}', -1)`, '23514', `${table}_position_check`)
        await db.refuses(`${into} ('${nobody}', 0)`, '23503', `${table}_${column}_fkey`)
      }
      await db.query('set constraints all deferred')
      for (const table of ['recordings', 'call_logs', 'deliveries', 'customers'])
        await db.query(`delete from ${table}`)
      for (const table of [
        ...['delivery_tracking_events', 'call_log_webhook_events'],
        ...['recording_entities', 'customer_call_history'],
      ]) {
        expect(await db.query(`select count(*) from ${table}`)).toEqual([{ count: '0' }])
      }
    })
  })

  describe('updated_at', () => {
    test.each(stamped)('%s moves it with every update and leaves it alone on insert', async (table) => {
      await db.query(`set local timezone to 'America/Los_Angeles'`)
      await fill(db)
      await db.query(`alter table ${table} disable trigger update_${table}_updated_at`)
      await db.query(
        `update ${table} set updated_at = '2025-01-01 00:00:00Z', created_at = '2025-01-01 00:00:00Z'`,
      )
      await db.query(`alter table ${table} enable trigger update_${table}_updated_at`)
      await db.query(`update ${table} set mongo_id = null`)
      expect(
        await db.query(
          `select updated_at = now() as moved, created_at = '2025-01-01 00:00:00Z' as kept from ${table}`,
        ),
      ).toEqual([{ moved: 't', kept: 't' }])
      await db.query(`update ${table} set updated_at = '2001-01-01 00:00:00Z'`)
      expect(await db.query(`select updated_at = now() as moved from ${table}`)).toEqual([{ moved: 't' }])
    })

    test('an inserted row keeps the times it comes with', async () => {
      await db.query(`insert into customers (name, phone, created_at, updated_at)
        values ('Old', '1', '2025-03-10 09:00:00Z', '2025-10-26 14:30:00Z')`)
      expect(
        await db.query(`
          select created_at at time zone 'UTC' as created, updated_at at time zone 'UTC' as updated from customers`),
      ).toEqual([{ created: '2025-03-10 09:00:00', updated: '2025-10-26 14:30:00' }])
    })
  })

  describe('v_agent_delivery_success_rate', () => {
    const add = (statuses: readonly string[], assigned: boolean) =>
      db.query(
        `insert into deliveries (customer_id, agent_id, address, longitude, latitude, scheduled_time, status)
         select '${customer}', ${assigned ? `'${agent}'` : 'null'}, 'x', 0, 0, now(), unnest($1::text[])`,
        [`{${statuses.join(',')}}`],
      )

    test('two of three are 66.67 per cent', async () => {
      await fill(db)
      await add(['completed', 'completed', 'failed'], true)
      expect(await db.query('select * from v_agent_delivery_success_rate')).toEqual([
        { agent_id: agent, total: '3', successful: '2', success_rate: '66.67' },
      ])
    })

    test('only deliveries that came to an end count', async () => {
      await fill(db)
      await add(['scheduled', 'assigned', 'in_transit', 'cancelled'], true)
      expect(await db.query('select * from v_agent_delivery_success_rate')).toEqual([])
      await add(['completed'], true)
      expect(await db.query('select total, success_rate from v_agent_delivery_success_rate')).toEqual([
        { total: '1', success_rate: '100.00' },
      ])
    })

    test('a delivery with several calls counts once', async () => {
      await fill(db)
      await db.query(`update deliveries set status = 'failed'`)
      await db.query(`insert into call_logs (delivery_id, call_sid, status, from_number, to_number)
        values ('${delivery}', 'CA2', 'no-answer', '1', '2'), ('${delivery}', 'CA3', 'busy', '1', '2')`)
      expect(await db.query('select total, success_rate from v_agent_delivery_success_rate')).toEqual([
        { total: '1', success_rate: '0.00' },
      ])
    })

    test('unassigned deliveries are a group of their own', async () => {
      await fill(db)
      await add(['completed', 'failed'], false)
      await add(['completed'], true)
      expect(
        await db.query(
          'select agent_id, total, successful, success_rate from v_agent_delivery_success_rate order by total',
        ),
      ).toEqual([
        { agent_id: agent, total: '1', successful: '1', success_rate: '100.00' },
        { agent_id: null, total: '2', successful: '1', success_rate: '50.00' },
      ])
    })
  })
})

describeSystem('delauto', { seed: ['sample'] }, (db) => {
  test('the sample set uses every listed value', async () => {
    for (const [table, column, listed] of lists) {
      const rows = await db.query(
        `select distinct ${column} as value from ${table} where ${column} is not null`,
      )
      expect([table, column, rows.map((row) => row['value']).sort()]).toEqual([
        table,
        column,
        [...listed].sort(),
      ])
    }
  })

  test('the sample set has every optional column with and without a value', async () => {
    for (const [table, text] of Object.entries(columns)) {
      if (table.startsWith('v_')) continue
      for (const line of lines(text)) {
        const [column = '', type = ''] = line.split(' ')
        if (type.endsWith('!')) continue
        const rows = await db.query(`select distinct "${column}" is null as missing from ${table} order by 1`)
        expect([table, column, rows]).toEqual([table, column, [{ missing: 'f' }, { missing: 't' }]])
      }
    }
  })

  test('one delivery was called about and completed, its circle closed', async () => {
    expect(
      await db.query(`
        select d.status, c.status as call, r.processing_status as recording,
          (select count(*) from delivery_tracking_events where delivery_id = d.id) as events,
          (select count(*) from call_log_webhook_events where call_log_id = c.id) as reports,
          (select count(*) from customer_call_history where call_log_id = c.id and customer_id = d.customer_id) as history
        from deliveries d
        join call_logs c on c.id = d.call_log_id and c.delivery_id = d.id
        join recordings r on r.id = d.recording_id and r.call_log_id = c.id and r.delivery_id = d.id
        where d.id = '00000000-0000-4000-8000-0de100000001'`),
    ).toEqual([
      {
        status: 'completed',
        call: 'completed',
        recording: 'completed',
        events: '3',
        reports: '4',
        history: '1',
      },
    ])
  })

  test('the success rates have rows, one of them without an agent', async () => {
    expect(
      await db.query(`
        select a.name, v.total, v.successful, v.success_rate
        from v_agent_delivery_success_rate v left join agents a on a.id = v.agent_id order by a.name`),
    ).toEqual([
      { name: 'Devon Clarke', total: '3', successful: '2', success_rate: '66.67' },
      { name: 'Grace Lin', total: '2', successful: '2', success_rate: '100.00' },
      { name: 'Priya Nair', total: '2', successful: '1', success_rate: '50.00' },
      { name: null, total: '1', successful: '0', success_rate: '0.00' },
    ])
  })

  test('nothing in the sample set opens a door', async () => {
    expect(await db.query(`select name from agents where password <> '!disabled'`)).toEqual([])
    expect(await db.query(`select name from api_keys where key not like '!disabled-%'`)).toEqual([])
    expect(
      await db.query(`
        select phone from agents where phone !~ '^\\+121255501[0-9]{2}$'
        union all select phone from customers where phone !~ '^\\+121255501[0-9]{2}$'`),
    ).toEqual([])
  })
})

describe('enabling PostGIS', () => {
  test('says what to install where it is missing', async () => {
    const bare = await PGlite.create()
    try {
      await expect(bare.exec(await migration('0001_enable_postgis.up'))).rejects.toMatchObject({
        code: '0A000',
        message: expect.stringContaining('needs the extension postgis'),
        hint: expect.stringContaining('@electric-sql/pglite-postgis'),
      })
    } finally {
      await bare.close()
    }
  })

  test('says where it is when the tables could not see it, and stays when it goes down', async () => {
    const database = await PGlite.create({ extensions: { postgis } })
    try {
      await database.exec('create schema elsewhere; create extension postgis schema elsewhere')
      await expect(database.exec(await migration('0001_enable_postgis.up'))).rejects.toMatchObject({
        code: '42704',
        message: expect.stringContaining('schema elsewhere'),
      })
      await database.exec('set search_path to public, elsewhere')
      await database.exec(await migration('0001_enable_postgis.up'))
      await database.exec(await migration('0001_enable_postgis.down'))
      const { rows } = await database.query(`select extname from pg_extension where extname = 'postgis'`)
      expect(rows).toEqual([{ extname: 'postgis' }])
    } finally {
      await database.close()
    }
  })
})
