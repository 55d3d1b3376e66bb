import { describe, expect, test } from '@jest/globals'
import { describeSystem, earlierView } from '../support/systems.js'

// The columns as the design of the system lists them, in order. `!` is NOT NULL. Two precisions are wider than listed:
// rate_per_mile and percentage_over must hold what their expressions can yield.
const TABLES: Record<string, string> = {
  carriers: `
    carrier_id uuid! = gen_random_uuid(), mc_number varchar(20)!, dot_number varchar(20),
    legal_name varchar(255)!, dba_name varchar(255), entity_type varchar(50)!,
    operating_status varchar(50)!, status varchar(20)!, insurance_on_file boolean = false,
    bipd_required numeric(12,2), bipd_on_file numeric(12,2), cargo_required numeric(12,2),
    cargo_on_file numeric(12,2), bond_required numeric(12,2), bond_on_file numeric(12,2),
    safety_rating varchar(20), safety_rating_date date, safety_scores jsonb, primary_contact jsonb,
    address jsonb, is_eligible boolean generated, eligibility_notes text, last_verified_at timestamptz,
    verification_source varchar(50), created_at timestamptz! = now(), updated_at timestamptz! = now(),
    created_by varchar(100), version integer = 1`,
  loads: `
    load_id uuid! = gen_random_uuid(), reference_number varchar(50), external_id varchar(100),
    origin_city varchar(100)!, origin_state char(2)!, origin_zip varchar(10), origin_coordinates jsonb,
    origin_facility jsonb, destination_city varchar(100)!, destination_state char(2)!,
    destination_zip varchar(10), destination_coordinates jsonb, destination_facility jsonb,
    pickup_date date!, pickup_time_start time, pickup_time_end time,
    pickup_appointment_required boolean = false, delivery_date date!, delivery_time_start time,
    delivery_time_end time, delivery_appointment_required boolean = false, equipment_type varchar(50)!,
    equipment_requirements jsonb, weight integer!, pieces integer, commodity_type varchar(100),
    commodity_description text, dimensions varchar(100), hazmat boolean = false, hazmat_class varchar(20),
    miles integer!, estimated_transit_hours integer, route_notes text, loadboard_rate numeric(10,2)!,
    fuel_surcharge numeric(10,2) = 0, accessorials jsonb, total_rate numeric(10,2) generated,
    rate_per_mile numeric(12,4) generated, minimum_rate numeric(10,2), maximum_rate numeric(10,2),
    target_rate numeric(10,2), auto_accept_threshold numeric(10,2), broker_company varchar(255),
    broker_contact jsonb, customer_name varchar(255), status varchar(30)! = 'AVAILABLE',
    status_changed_at timestamptz = now(), booked_by_carrier_id uuid, booked_at timestamptz,
    special_requirements text[], notes text, internal_notes text, urgency varchar(20) = 'NORMAL',
    priority_score integer = 50, is_active boolean = true, expires_at timestamptz, source varchar(50),
    created_at timestamptz! = now(), updated_at timestamptz! = now(), created_by varchar(100),
    deleted_at timestamptz, version integer = 1`,
  calls: `
    call_id uuid! = gen_random_uuid(), external_call_id varchar(100), session_id varchar(100),
    mc_number varchar(20), carrier_id uuid, caller_phone varchar(20), caller_name varchar(100),
    load_id uuid, multiple_loads_discussed uuid[], start_time timestamptz!, end_time timestamptz,
    duration_seconds integer, call_type varchar(30)!, channel varchar(30), agent_type varchar(30),
    agent_id varchar(50), outcome varchar(50)!, outcome_confidence numeric(3,2), sentiment varchar(20),
    sentiment_score numeric(3,2), sentiment_breakdown jsonb, initial_offer numeric(10,2),
    final_rate numeric(10,2), rate_accepted boolean, extracted_data jsonb, transcript text,
    transcript_summary text, key_points text[], transferred_to_human boolean = false,
    transfer_reason varchar(100), transferred_at timestamptz, assigned_rep_id varchar(50),
    follow_up_required boolean = false, follow_up_reason text, follow_up_deadline timestamptz,
    follow_up_completed boolean = false, recording_url text, recording_duration_seconds integer,
    quality_score integer, quality_issues text[], created_at timestamptz! = now(),
    updated_at timestamptz! = now(), created_by varchar(100), version integer = 1`,
  negotiations: `
    negotiation_id uuid! = gen_random_uuid(), call_id uuid, load_id uuid!, carrier_id uuid,
    mc_number varchar(20), session_id varchar(100)!, session_start timestamptz! = now(),
    session_end timestamptz, is_active boolean = true, round_number integer!, max_rounds integer = 3,
    carrier_offer numeric(10,2)!, system_response varchar(50)!, counter_offer numeric(10,2),
    loadboard_rate numeric(10,2)!, minimum_acceptable numeric(10,2), maximum_acceptable numeric(10,2),
    offer_difference numeric(10,2) generated, percentage_over numeric(14,2) generated,
    decision_factors jsonb, message_to_carrier text, justification text, final_status varchar(30),
    agreed_rate numeric(10,2), response_time_seconds integer, total_duration_seconds integer,
    created_at timestamptz! = now(), updated_at timestamptz! = now(), created_by varchar(100),
    version integer = 1`,
  api_keys: `
    api_key_id uuid! = gen_random_uuid(), key_hash varchar(255)!, key_prefix varchar(10)!,
    name varchar(100)!, description text, client_type varchar(50), scopes text[], ip_whitelist inet[],
    rate_limit_per_minute integer = 100, rate_limit_per_day integer = 10000, last_used_at timestamptz,
    last_used_ip inet, total_requests bigint = 0, is_active boolean = true, expires_at timestamptz,
    revoked_at timestamptz, revoked_reason text, created_at timestamptz! = now(),
    updated_at timestamptz! = now(), created_by varchar(100), version integer = 1`,
  equipment_types: `
    equipment_type_id uuid! = gen_random_uuid(), name varchar(50)!, category varchar(30),
    typical_capacity integer, dimensions varchar(50), requires_cdl boolean = true,
    special_endorsements text[], description text, is_active boolean = true,
    created_at timestamptz! = now(), updated_at timestamptz! = now()`,
  rate_history: `
    rate_history_id uuid! = gen_random_uuid(), load_id uuid, lane_key varchar(100), origin_state char(2),
    destination_state char(2), miles integer, equipment_type varchar(50), quoted_rate numeric(10,2),
    accepted_rate numeric(10,2), rate_per_mile numeric(12,4), carrier_id uuid, quote_date date!,
    market_conditions jsonb, created_at timestamptz! = now()`,
  audit_log: `
    audit_id uuid! = gen_random_uuid(), table_name varchar(50)!, record_id uuid!, action varchar(20)!,
    changed_fields jsonb, old_values jsonb, new_values jsonb, user_id varchar(100), api_key_id uuid,
    ip_address inet, user_agent text, created_at timestamptz! = now()`,
}

// The primary key column of each table whose changes are audited, and a change that its triggers must notice.
const AUDITED: Record<string, { key: string; change: string }> = {
  carriers: { key: 'carrier_id', change: "legal_name = 'Renamed'" },
  loads: { key: 'load_id', change: "notes = 'changed'" },
  calls: { key: 'call_id', change: "transcript_summary = 'changed'" },
  negotiations: { key: 'negotiation_id', change: "justification = 'changed'" },
  api_keys: { key: 'api_key_id', change: "description = 'changed'" },
  equipment_types: { key: 'equipment_type_id', change: "description = 'changed'" },
  rate_history: { key: 'rate_history_id', change: 'miles = 12' },
}

const VERSIONED = ['carriers', 'loads', 'calls', 'negotiations', 'api_keys']

const INDEXES = [
  'idx_carriers_mc_number: carriers (mc_number)',
  'idx_carriers_dot_number: carriers (dot_number)',
  'idx_carriers_eligible: carriers (is_eligible) where (is_eligible = true)',
  'idx_carriers_status: carriers (operating_status, status)',
  'idx_carriers_verified: carriers (last_verified_at)',
  'idx_carriers_lookup: carriers (mc_number, is_eligible) where (is_eligible = true)',
  'idx_loads_reference: loads (reference_number)',
  "idx_loads_status: loads (status) where ((status)::text = 'AVAILABLE'::text)",
  'idx_loads_equipment: loads (equipment_type)',
  'idx_loads_origin: loads (origin_state, origin_city)',
  'idx_loads_destination: loads (destination_state, destination_city)',
  'idx_loads_pickup_date: loads (pickup_date)',
  'idx_loads_miles: loads (miles)',
  'idx_loads_rate: loads (loadboard_rate)',
  'idx_loads_rpm: loads (rate_per_mile)',
  'idx_loads_active: loads (is_active, expires_at) where ((is_active = true) AND (deleted_at IS NULL))',
  'idx_loads_booked: loads (booked_by_carrier_id, booked_at)',
  'idx_loads_search: loads (equipment_type, origin_state, pickup_date, status) ' +
    "where (((status)::text = 'AVAILABLE'::text) AND (is_active = true))",
  'idx_calls_external_id: calls (external_call_id)',
  'idx_calls_mc_number: calls (mc_number)',
  'idx_calls_carrier: calls (carrier_id)',
  'idx_calls_load: calls (load_id)',
  'idx_calls_phone: calls (caller_phone)',
  'idx_calls_time: calls (start_time, end_time)',
  'idx_calls_outcome: calls (outcome)',
  'idx_calls_sentiment: calls (sentiment)',
  'idx_calls_transferred: calls (transferred_to_human) where (transferred_to_human = true)',
  'idx_calls_followup: calls (follow_up_required, follow_up_deadline) ' +
    'where ((follow_up_required = true) AND (follow_up_completed = false))',
  'idx_calls_analytics: calls (start_time, outcome, sentiment)',
  'idx_negotiations_session: negotiations (session_id)',
  'idx_negotiations_call: negotiations (call_id)',
  'idx_negotiations_load: negotiations (load_id)',
  'idx_negotiations_carrier: negotiations (carrier_id)',
  'idx_negotiations_active: negotiations (is_active) where (is_active = true)',
  'idx_negotiations_status: negotiations (final_status)',
  'idx_negotiations_round: negotiations (round_number)',
  'idx_api_keys_hash: api_keys (key_hash)',
  'idx_api_keys_prefix: api_keys (key_prefix)',
  'idx_api_keys_active: api_keys (is_active, expires_at) where (is_active = true)',
  'idx_rate_history_lane: rate_history (lane_key)',
  'idx_rate_history_date: rate_history (quote_date)',
  'idx_rate_history_equipment: rate_history (equipment_type)',
  'idx_audit_table_record: audit_log (table_name, record_id)',
  'idx_audit_created: audit_log (created_at)',
  'idx_audit_user: audit_log (user_id)',
]

// Not in the design, but a foreign key without an index makes each delete on the other side read the whole table.
const FOREIGN_KEY_INDEXES = [
  'idx_rate_history_load: rate_history (load_id)',
  'idx_rate_history_carrier: rate_history (carrier_id)',
  'idx_audit_api_key: audit_log (api_key_id)',
]

// What the promised response times need beyond the design when there are a million rows.
const RESPONSE_TIME_INDEXES = [
  'idx_loads_offers: loads (equipment_type, expires_at) ' +
    "where (((status)::text = 'AVAILABLE'::text) AND (is_active = true) AND (deleted_at IS NULL))",
  'idx_calls_daily: calls (start_time, call_id, carrier_id, outcome, duration_seconds, sentiment, transferred_to_human)',
  'idx_negotiations_call_rounds: negotiations (call_id, round_number)',
  'idx_negotiations_deals: negotiations (call_id, load_id, agreed_rate) ' +
    "where ((final_status)::text = 'DEAL_ACCEPTED'::text)",
]

const CALL_LISTS: Record<string, string[]> = {
  call_type: ['INBOUND', 'OUTBOUND', 'CALLBACK'],
  channel: ['VOICE', 'WEB_CALL', 'API_TRIGGERED'],
  agent_type: ['AI', 'HUMAN', 'HYBRID'],
  outcome: [
    'ACCEPTED',
    'DECLINED',
    'NEGOTIATION_FAILED',
    'NO_EQUIPMENT',
    'CALLBACK_REQUESTED',
    'NOT_ELIGIBLE',
    'WRONG_LANE',
    'INFORMATION_ONLY',
  ],
  sentiment: ['POSITIVE', 'NEUTRAL', 'NEGATIVE'],
}

const LISTS: Record<string, Record<string, string[]>> = {
  carriers: {
    entity_type: ['CARRIER', 'BROKER', 'BOTH'],
    operating_status: ['AUTHORIZED_FOR_HIRE', 'NOT_AUTHORIZED', 'OUT_OF_SERVICE'],
    status: ['ACTIVE', 'INACTIVE'],
    safety_rating: ['SATISFACTORY', 'CONDITIONAL', 'UNSATISFACTORY'],
    verification_source: ['EXTERNAL_API', 'MANUAL', 'THIRD_PARTY'],
  },
  equipment_types: { category: ['VAN', 'FLATBED', 'SPECIALIZED', 'POWER_ONLY'] },
  loads: {
    status: ['AVAILABLE', 'PENDING', 'BOOKED', 'IN_TRANSIT', 'DELIVERED', 'CANCELLED'],
    urgency: ['LOW', 'NORMAL', 'HIGH', 'CRITICAL'],
  },
  calls: CALL_LISTS,
  calls_archive: CALL_LISTS,
  negotiations: {
    system_response: ['ACCEPTED', 'COUNTER_OFFER', 'REJECTED'],
    final_status: ['DEAL_ACCEPTED', 'DEAL_REJECTED', 'ABANDONED', 'TIMEOUT'],
  },
  api_keys: { client_type: ['HAPPYROBOT', 'INTERNAL', 'PARTNER'] },
  audit_log: { action: ['INSERT', 'UPDATE', 'DELETE'] },
}

// [table, column, values that pass, values that do not], as SQL expressions.
const RANGES: [table: string, column: string, inside: string[], outside: string[]][] = [
  ['equipment_types', 'typical_capacity', ['0', '70000'], ['-1']],
  ['loads', 'origin_state', ["'TX'"], ["'T'", "'ca'", "'1A'"]],
  ['loads', 'destination_state', ["'CA'"], ["'C'", "'tx'", "'A '"]],
  ['loads', 'delivery_date', ["date '2030-01-01'", "date '2030-01-09'"], ["date '2029-12-31'"]],
  ['loads', 'weight', ['0', '80000'], ['-1']],
  ['loads', 'pieces', ['0', '12'], ['-1']],
  ['loads', 'miles', ['0', '3000'], ['-1']],
  ['loads', 'estimated_transit_hours', ['0', '60'], ['-1']],
  ['loads', 'loadboard_rate', ['0', '12000.50'], ['-0.01']],
  ['loads', 'priority_score', ['0', '100'], ['-1', '101', '9999']],
  ...['calls', 'calls_archive'].flatMap<[string, string, string[], string[]]>((table) => [
    [table, 'end_time', ["timestamptz '2030-01-01 12:00Z'"], ["timestamptz '2030-01-01 11:59Z'"]],
    [table, 'duration_seconds', ['0', '900'], ['-1']],
    [table, 'outcome_confidence', ['0', '0.55', '1'], ['-0.01', '1.01']],
    [table, 'sentiment_score', ['-1', '0', '1'], ['-1.01', '1.01']],
    [table, 'recording_duration_seconds', ['0', '900'], ['-1']],
    [table, 'quality_score', ['0', '100'], ['-1', '101']],
  ]),
  ['negotiations', 'round_number', ['1', '3'], ['0', '-1']],
  ['negotiations', 'max_rounds', ['1', '3'], ['0']],
  ['negotiations', 'carrier_offer', ['0', '900'], ['-0.01']],
  ['negotiations', 'loadboard_rate', ['0', '900'], ['-0.01']],
  ['negotiations', 'response_time_seconds', ['0', '5'], ['-1']],
  ['negotiations', 'total_duration_seconds', ['0', '5'], ['-1']],
  ['api_keys', 'rate_limit_per_minute', ['0', '100'], ['-1']],
  ['api_keys', 'rate_limit_per_day', ['0', '10000'], ['-1']],
  ['api_keys', 'total_requests', ['0', '9999999999'], ['-1']],
  ['rate_history', 'origin_state', ["'TX'"], ["'T'", "'tx'"]],
  ['rate_history', 'destination_state', ["'CA'"], ["'C'", "'ca'"]],
  ['rate_history', 'miles', ['0', '900'], ['-1']],
]

// Zones on both sides of UTC, among them one whose calendar day differs from that of UTC for most of the day.
const ZONES = ['UTC', 'America/Los_Angeles', 'Asia/Tokyo', 'Pacific/Kiritimati']

const CALL: Values = {
  start_time: "timestamptz '2030-01-01 12:00Z'",
  call_type: "'INBOUND'",
  outcome: "'INFORMATION_ONLY'",
}

// The least that a row of each table needs, as SQL expressions; unique columns get a random value.
const LEAST: Record<string, Values> = {
  carriers: {
    mc_number: 'left(gen_random_uuid()::text, 20)',
    legal_name: "'SOME CARRIER LLC'",
    entity_type: "'CARRIER'",
    operating_status: "'AUTHORIZED_FOR_HIRE'",
    status: "'ACTIVE'",
  },
  equipment_types: { name: 'gen_random_uuid()::text' },
  loads: {
    origin_city: "'Dallas'",
    origin_state: "'TX'",
    destination_city: "'Los Angeles'",
    destination_state: "'CA'",
    pickup_date: "date '2030-01-01'",
    delivery_date: "date '2030-01-04'",
    equipment_type: "'Reefer'",
    weight: '42000',
    miles: '1400',
    loadboard_rate: '2800',
  },
  calls: CALL,
  calls_archive: { ...CALL, call_id: 'gen_random_uuid()', created_at: 'now()', updated_at: 'now()' },
  negotiations: {
    load_id: '(select load_id from loads limit 1)',
    session_id: 'gen_random_uuid()::text',
    round_number: '1',
    carrier_offer: '1300',
    system_response: "'REJECTED'",
    loadboard_rate: '1000',
  },
  api_keys: { key_hash: "'!' || gen_random_uuid()", key_prefix: "'test_key'", name: "'test'" },
  rate_history: { quote_date: "date '2030-01-01'" },
  audit_log: { table_name: "'loads'", record_id: 'gen_random_uuid()', action: "'INSERT'" },
}

type Values = Record<string, string>

function insertInto(table: string, values: Values = {}): string {
  const row = { ...LEAST[table], ...values }
  return `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`
}

/** The one value of a query of one row and one column. */
function single(rows: readonly Record<string, unknown>[]): unknown {
  expect(rows).toHaveLength(1)
  const values = Object.values(rows[0] ?? {})
  expect(values).toHaveLength(1)
  return values[0]
}

function columnNames(table: string): string[] {
  return (TABLES[table] ?? '')
    .trim()
    .split(/,\s+/)
    .map((column) => column.split(' ')[0] ?? '')
}

describeSystem('happyrobot', (db) => {
  const value = async (sql: string): Promise<unknown> => single(await db.query(sql))

  /** Inserts a row and returns its key. */
  const add = async (table: string, values: Values = {}): Promise<string> => {
    const key = AUDITED[table]?.key ?? 'call_id'
    return String(await value(`${insertInto(table, values)} returning ${key}`))
  }

  const trail = async (table: string) =>
    db.query(
      `select * from audit_log where table_name = $1 order by position(action in 'INSERT UPDATE DELETE')`,
      [table],
    )

  describe('what there is', () => {
    test('the tables, and no others', async () => {
      const rows = await db.query(
        `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm')`,
      )
      expect(rows.map((row) => row.relname).sort()).toEqual([...Object.keys(TABLES), 'calls_archive'].sort())
    })

    test.each(Object.entries(TABLES))('the columns of %s', async (table, columns) => {
      const rows = await db.query(
        `select attname
             || ' ' || replace(replace(replace(replace(format_type(atttypid, atttypmod),
                  'character varying', 'varchar'), 'character(', 'char('),
                  'timestamp with time zone', 'timestamptz'), 'time without time zone', 'time')
             || case when attnotnull then '!' else '' end
             || case when attgenerated = 's' then ' generated'
                  else coalesce(' = ' || replace(pg_get_expr(adbin, adrelid), '::character varying', ''), '') end as line
         from pg_attribute
         left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = $1::regclass and attnum > 0 and not attisdropped
         order by attnum`,
        [table],
      )
      expect(rows.map((row) => row.line)).toEqual(columns.trim().split(/,\s+/))
    })

    test('calls_archive has the columns of calls and their checks, but no defaults', async () => {
      const shape = (table: string) =>
        db.query(
          `select attname, format_type(atttypid, atttypmod) as type, attnotnull
           from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
          [table],
        )
      expect(await shape('calls_archive')).toEqual(await shape('calls'))
      const checks = async (table: string) =>
        (
          await db.query(
            `select conname, pg_get_constraintdef(oid) as rule from pg_constraint
             where conrelid = $1::regclass and contype = 'c' order by conname`,
            [table],
          )
        ).map((row) => `${String(row.conname).replace(`${table}_`, '')} ${String(row.rule)}`)
      expect(await checks('calls_archive')).toEqual(await checks('calls'))
      expect(await value(`select count(*) from pg_attrdef where adrelid = 'calls_archive'::regclass`)).toBe(
        '0',
      )
    })

    test('the named indexes', async () => {
      const rows = await db.query(
        `select indexrelid::regclass || ': ' || indrelid::regclass || ' ('
             || (select string_agg(attname, ', ' order by key.place)
                 from unnest(indkey) with ordinality as key(number, place)
                 join pg_attribute on attrelid = indrelid and attnum = key.number)
             || ')' || coalesce(' where ' || pg_get_expr(indpred, indrelid), '') as line
         from pg_index
         join pg_class on pg_class.oid = indexrelid
         where relnamespace = 'public'::regnamespace
           and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))`,
      )
      expect(INDEXES).toHaveLength(45)
      expect(rows.map((row) => row.line).sort()).toEqual(
        [...INDEXES, ...FOREIGN_KEY_INDEXES, ...RESPONSE_TIME_INDEXES].sort(),
      )
    })

    test('the keys and references', async () => {
      const rows = await db.query(
        `select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) as line
         from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f')`,
      )
      expect(rows.map((row) => row.line).sort()).toEqual(
        [
          'carriers carriers_pkey PRIMARY KEY (carrier_id)',
          'carriers carriers_mc_number_key UNIQUE (mc_number)',
          'equipment_types equipment_types_pkey PRIMARY KEY (equipment_type_id)',
          'equipment_types equipment_types_name_key UNIQUE (name)',
          'loads loads_pkey PRIMARY KEY (load_id)',
          'loads loads_reference_number_key UNIQUE (reference_number)',
          'loads loads_booked_by_carrier_id_fkey FOREIGN KEY (booked_by_carrier_id) REFERENCES carriers(carrier_id)',
          'calls calls_pkey PRIMARY KEY (call_id)',
          'calls calls_carrier_id_fkey FOREIGN KEY (carrier_id) REFERENCES carriers(carrier_id)',
          'calls calls_load_id_fkey FOREIGN KEY (load_id) REFERENCES loads(load_id)',
          'calls_archive calls_archive_pkey PRIMARY KEY (call_id)',
          'negotiations negotiations_pkey PRIMARY KEY (negotiation_id)',
          'negotiations negotiations_session_id_round_number_key UNIQUE (session_id, round_number)',
          'negotiations negotiations_call_id_fkey FOREIGN KEY (call_id) REFERENCES calls(call_id) ON DELETE SET NULL',
          'negotiations negotiations_load_id_fkey FOREIGN KEY (load_id) REFERENCES loads(load_id)',
          'negotiations negotiations_carrier_id_fkey FOREIGN KEY (carrier_id) REFERENCES carriers(carrier_id)',
          'api_keys api_keys_pkey PRIMARY KEY (api_key_id)',
          'api_keys api_keys_key_hash_key UNIQUE (key_hash)',
          'rate_history rate_history_pkey PRIMARY KEY (rate_history_id)',
          'rate_history rate_history_load_id_fkey FOREIGN KEY (load_id) REFERENCES loads(load_id)',
          'rate_history rate_history_carrier_id_fkey FOREIGN KEY (carrier_id) REFERENCES carriers(carrier_id)',
          'audit_log audit_log_pkey PRIMARY KEY (audit_id)',
          'audit_log audit_log_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(api_key_id) ON DELETE SET NULL',
        ].sort(),
      )
    })

    test('every check is one of the lists and ranges tested below', async () => {
      const rows = await db.query(
        `select conname from pg_constraint where connamespace = 'public'::regnamespace and contype = 'c'`,
      )
      const expected = [
        ...Object.entries(LISTS).flatMap(([table, lists]) =>
          Object.keys(lists).map((column) => `${table}_${column}`),
        ),
        ...RANGES.map(([table, column]) => `${table}_${column}`),
      ].map((name) => `${name}_check`)
      expect(rows.map((row) => row.conname).sort()).toEqual(expected.sort())
    })

    test('the functions', async () => {
      const rows = await db.query(
        `select proname || '(' || pg_get_function_identity_arguments(p.oid) || ') ' || provolatile::text || ' ' || lanname as line
         from pg_proc p join pg_language l on l.oid = prolang where pronamespace = 'public'::regnamespace`,
      )
      expect(rows.map((row) => row.line).sort()).toEqual([
        'audit_trigger_function() v plpgsql',
        'calculate_negotiation_threshold(p_loadboard_rate numeric, p_urgency character varying, p_carrier_history jsonb) ' +
          'i plpgsql',
        'touch_updated_at() v plpgsql',
        'update_updated_at_column() v plpgsql',
      ])
    })

    test('the triggers', async () => {
      const rows = await db.query(
        `select tgrelid::regclass || ' ' || tgname || ' ' || tgfoid::regproc as line from pg_trigger where not tgisinternal`,
      )
      expect(rows.map((row) => row.line).sort()).toEqual(
        [
          ...VERSIONED.map((table) => `${table} update_${table}_updated_at update_updated_at_column`),
          'equipment_types update_equipment_types_updated_at touch_updated_at',
          ...Object.keys(AUDITED).map((table) => `${table} audit_${table} audit_trigger_function`),
        ].sort(),
      )
    })

    test('the views and their columns', async () => {
      const rows = await db.query(
        `select relname, string_agg(attname, ' ' order by attnum) as columns
         from pg_class join pg_attribute on attrelid = pg_class.oid
         where relnamespace = 'public'::regnamespace and relkind = 'v' group by relname order by relname`,
      )
      expect(rows).toEqual([
        {
          relname: 'v_active_loads',
          columns: [
            ...columnNames('loads'),
            'hours_until_pickup',
            'time_sensitivity',
            'times_negotiated',
            'last_offered_rate',
          ].join(' '),
        },
        {
          relname: 'v_carrier_performance',
          columns:
            'carrier_id mc_number legal_name total_calls loads_booked avg_negotiation_rounds avg_sentiment_score ' +
            'accepted_count declined_count last_contact_date equipment_types_used',
        },
        {
          relname: 'v_daily_metrics',
          columns:
            'date total_calls unique_carriers deals_closed avg_call_duration avg_sentiment total_revenue ' +
            'avg_negotiation_rounds human_handoffs',
        },
      ])
    })

    test('a comment on everything', async () => {
      expect(
        await db.query(
          `select relname || coalesce('.' || attname, '') as silent
           from pg_class
           left join pg_attribute on attrelid = pg_class.oid and attnum > 0
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
             and (col_description(attrelid, attnum) is null or obj_description(pg_class.oid, 'pg_class') is null)
           union all
           select proname from pg_proc
           where pronamespace = 'public'::regnamespace and obj_description(oid, 'pg_proc') is null
           union all
           select tgname from pg_trigger where not tgisinternal and obj_description(oid, 'pg_trigger') is null`,
        ),
      ).toEqual([])
    })
  })

  describe('what is refused', () => {
    const lists = Object.entries(LISTS).flatMap(([table, columns]) =>
      Object.entries(columns).map(([column, listed]) => ({ table, column, listed })),
    )
    test.each(lists)(
      '$column of $table takes its listed values and no other',
      async ({ table, column, listed }) => {
        await add('loads')
        for (const one of listed) {
          expect(await value(`${insertInto(table, { [column]: `'${one}'` })} returning ${column}`)).toBe(one)
        }
        for (const other of ['NONSENSE', listed[0]?.toLowerCase() ?? '', 'AUTHORIZED', '']) {
          await db.refuses(insertInto(table, { [column]: `'${other}'` }), '23514', `${table}_${column}_check`)
        }
      },
    )

    test.each(RANGES)('%s.%s keeps its range', async (table, column, inside, outside) => {
      await add('loads')
      for (const good of inside) {
        expect(await value(`${insertInto(table, { [column]: good })} returning ${column} = ${good}`)).toBe(
          't',
        )
      }
      for (const bad of outside) {
        await db.refuses(insertInto(table, { [column]: bad }), '23514', `${table}_${column}_check`)
      }
    })

    test('a call without an outcome', async () => {
      await db.refuses(insertInto('calls', { outcome: 'null' }), '23502', 'outcome')
    })

    test('the same round twice in a session', async () => {
      await add('loads')
      await add('negotiations', { session_id: "'s-1'", round_number: '1' })
      await add('negotiations', { session_id: "'s-1'", round_number: '2' })
      await add('negotiations', { session_id: "'s-2'", round_number: '1' })
      await db.refuses(
        insertInto('negotiations', { session_id: "'s-1'", round_number: '2' }),
        '23505',
        'negotiations_session_id_round_number_key',
      )
    })

    test('a second carrier, load, key or type with the same natural key; loads without a reference are free', async () => {
      for (const [table, column] of [
        ['carriers', 'mc_number'],
        ['loads', 'reference_number'],
        ['api_keys', 'key_hash'],
        ['equipment_types', 'name'],
      ] as const) {
        await add(table, { [column]: "'same'" })
        await db.refuses(insertInto(table, { [column]: "'same'" }), '23505', `${table}_${column}_key`)
      }
      await add('loads')
      await add('loads')
      expect(await value('select count(*) from loads where reference_number is null')).toBe('2')
    })

    test('references to rows that do not exist', async () => {
      const nobody = { carrier_id: 'gen_random_uuid()' }
      await add('loads')
      await db.refuses(insertInto('calls', nobody), '23503', 'calls_carrier_id_fkey')
      await db.refuses(insertInto('negotiations', nobody), '23503', 'negotiations_carrier_id_fkey')
      await db.refuses(insertInto('rate_history', nobody), '23503', 'rate_history_carrier_id_fkey')
      expect(await value(`${insertInto('calls_archive', nobody)} returning carrier_id is not null`)).toBe('t')
    })
  })

  describe('computed columns', () => {
    test('is_eligible asks for authority, an active carrier and known insurance', async () => {
      const found: string[] = []
      for (const operating of ['AUTHORIZED_FOR_HIRE', 'NOT_AUTHORIZED', 'OUT_OF_SERVICE']) {
        for (const status of ['ACTIVE', 'INACTIVE']) {
          for (const insured of ['true', 'false', 'null']) {
            const eligible = await value(
              `${insertInto('carriers', {
                operating_status: `'${operating}'`,
                status: `'${status}'`,
                insurance_on_file: insured,
              })} returning is_eligible`,
            )
            expect(eligible).not.toBeNull()
            if (eligible === 't') found.push(`${operating} ${status} ${insured}`)
          }
        }
      }
      expect(found).toEqual(['AUTHORIZED_FOR_HIRE ACTIVE true'])
    })

    test('total_rate is rate and surcharge, without accessorials; rate_per_mile divides it', async () => {
      const rates = async (values: Values) =>
        (await db.query(`${insertInto('loads', values)} returning total_rate, rate_per_mile`))[0]
      expect(
        await rates({ fuel_surcharge: '140', accessorials: `'[{"type":"lumper","amount":90}]'` }),
      ).toEqual({
        total_rate: '2940.00',
        rate_per_mile: '2.1000',
      })
      expect(await rates({ fuel_surcharge: 'null' })).toEqual({
        total_rate: '2800.00',
        rate_per_mile: '2.0000',
      })
      expect(await rates({ miles: '0' })).toEqual({ total_rate: '2800.00', rate_per_mile: '0.0000' })
      expect(await rates({ miles: '1', loadboard_rate: '12000' })).toEqual({
        total_rate: '12000.00',
        rate_per_mile: '12000.0000',
      })
      expect(await rates({ miles: '1', loadboard_rate: '99999999.99' })).toEqual({
        total_rate: '99999999.99',
        rate_per_mile: '99999999.9900',
      })
    })

    test('percentage_over holds any offer', async () => {
      await add('loads')
      const over = async (offer: string, board: string) =>
        (
          await db.query(
            `${insertInto('negotiations', { carrier_offer: offer, loadboard_rate: board })}
             returning offer_difference, percentage_over`,
          )
        )[0]
      expect(await over('1100', '1000')).toEqual({ offer_difference: '100.00', percentage_over: '10.00' })
      expect(await over('950', '1000')).toEqual({ offer_difference: '-50.00', percentage_over: '-5.00' })
      expect(await over('1200', '100')).toEqual({ offer_difference: '1100.00', percentage_over: '1100.00' })
      expect(await over('1200', '0')).toEqual({ offer_difference: '1200.00', percentage_over: '0.00' })
      expect(await over('99999999.99', '0.01')).toEqual({
        offer_difference: '99999999.98',
        percentage_over: '999999999800.00',
      })
    })
  })

  describe('updated_at and version', () => {
    test.each(VERSIONED)('%s dates and counts each update, also one that sets the version', async (table) => {
      await add('loads')
      const change = AUDITED[table]?.change ?? ''
      const key = AUDITED[table]?.key ?? ''
      const id = await add(table, { updated_at: "timestamptz '2020-01-01'" })
      expect(await value(`select version from ${table} where ${key} = '${id}'`)).toBe('1')
      for (const [set, version] of [
        [change, '2'],
        [`${change}, version = 99`, '3'],
      ]) {
        expect(
          await db.query(
            `update ${table} set ${set} where ${key} = '${id}' returning version, updated_at = now() as dated`,
          ),
        ).toEqual([{ version, dated: 't' }])
      }
    })

    test('a row stored without a version gets one with its first update', async () => {
      const id = await add('carriers', { version: 'null' })
      expect(
        await value(`update carriers set legal_name = 'X' where carrier_id = '${id}' returning version`),
      ).toBe('1')
    })

    test('an update that names an old version changes nothing', async () => {
      const id = await add('loads')
      const lock = `update loads set notes = 'mine' where load_id = '${id}' and version = 1 returning version`
      expect(await db.query(lock)).toEqual([{ version: '2' }])
      expect(await db.query(lock)).toEqual([])
    })

    test('equipment_types has no version, but is dated', async () => {
      const id = await add('equipment_types', { updated_at: "timestamptz '2020-01-01'" })
      expect(
        await value(
          `update equipment_types set description = 'd' where equipment_type_id = '${id}' returning updated_at = now()`,
        ),
      ).toBe('t')
    })
  })

  describe('the audit log', () => {
    test.each(Object.entries(AUDITED))('records what happens to %s', async (table, { key, change }) => {
      await add('loads')
      await db.query('delete from audit_log')
      const id = await add(table)
      await db.query(`update ${table} set ${change} where ${key} = '${id}'`)
      await db.query(`delete from ${table} where ${key} = '${id}'`)
      const column = change.split(' ')[0] ?? ''
      const rows = await db.query(
        `select action, record_id, old_values ->> $2 as old_key, new_values ->> $2 as new_key,
           changed_fields is not null as has_changes, changed_fields ? $3 as change_in, changed_fields ? $2 as key_in
         from audit_log where table_name = $1 order by position(action in 'INSERT UPDATE DELETE')`,
        [table, key, column],
      )
      expect(rows).toEqual([
        {
          action: 'INSERT',
          record_id: id,
          old_key: null,
          new_key: id,
          has_changes: 'f',
          change_in: null,
          key_in: null,
        },
        {
          action: 'UPDATE',
          record_id: id,
          old_key: id,
          new_key: id,
          has_changes: 't',
          change_in: 't',
          key_in: 'f',
        },
        {
          action: 'DELETE',
          record_id: id,
          old_key: id,
          new_key: null,
          has_changes: 'f',
          change_in: null,
          key_in: null,
        },
      ])
    })

    test('holds the values before and after', async () => {
      await add('rate_history', { miles: '10', lane_key: "'TX-CA'" })
      await db.query('update rate_history set miles = 12')
      expect(
        await db.query(
          `select changed_fields, old_values ->> 'miles' as old, new_values ->> 'miles' as new,
             new_values ->> 'lane_key' as lane
           from audit_log where table_name = 'rate_history' and action = 'UPDATE'`,
        ),
      ).toEqual([{ changed_fields: '{"miles": 12}', old: '10', new: '12', lane: 'TX-CA' }])
    })

    test('an update that changes nothing is recorded as such', async () => {
      await add('rate_history')
      await db.query('update rate_history set miles = miles')
      expect(await value(`select changed_fields from audit_log where action = 'UPDATE'`)).toBe('{}')
    })

    test('a column set to null appears among the changes', async () => {
      await add('rate_history', { miles: '10' })
      await db.query('update rate_history set miles = null')
      expect(await value(`select changed_fields from audit_log where action = 'UPDATE'`)).toBe(
        '{"miles": null}',
      )
    })

    test('hashes of keys and transcripts never enter it', async () => {
      await add('api_keys', { key_hash: "'!hash-one'" })
      await db.query(`update api_keys set key_hash = '!hash-two'`)
      await db.query('delete from api_keys')
      await add('calls', { transcript: "'word-one'" })
      await db.query(`update calls set transcript = 'word-two'`)
      await db.query('delete from calls')
      expect(await value(`select count(*) from audit_log where table_name in ('api_keys', 'calls')`)).toBe(
        '6',
      )
      expect(
        await value(
          `select count(*) from audit_log
           where audit_log::text ~ '(hash|word)-(one|two)' or changed_fields ?| array['key_hash', 'transcript']
              or old_values ?| array['key_hash', 'transcript'] or new_values ?| array['key_hash', 'transcript']`,
        ),
      ).toBe('0')
    })

    test('names the user, the key and the client of the session', async () => {
      const key = await add('api_keys')
      await db.query(
        `select set_config('app.current_user_id', 'dana', true), set_config('app.current_api_key_id', $1, true),
           set_config('app.current_ip_address', '192.0.2.7', true),
           set_config('app.current_user_agent', 'dashboard/2', true)`,
        [key],
      )
      await add('rate_history')
      expect(
        await db.query(
          `select user_id, api_key_id, ip_address, user_agent from audit_log where table_name = 'rate_history'`,
        ),
      ).toEqual([{ user_id: 'dana', api_key_id: key, ip_address: '192.0.2.7', user_agent: 'dashboard/2' }])
    })

    // After a transaction with SET LOCAL the settings of a pooled connection read as empty strings.
    const UNUSABLE = [
      ['empty', ''],
      ['of no key', '00000000-0000-4000-8000-00000000dead'],
      ['nonsense', 'not-a-uuid'],
    ]
    test.each(UNUSABLE)('settings that are %s do not stand in the way of a write', async (_what, setting) => {
      await db.query(
        `select set_config('app.current_user_id', '', true), set_config('app.current_user_agent', '', true),
           set_config('app.current_api_key_id', $1, true), set_config('app.current_ip_address', $1, true)`,
        [setting],
      )
      await add('rate_history')
      expect(await db.query('select user_id, api_key_id, ip_address, user_agent from audit_log')).toEqual([
        { user_id: null, api_key_id: null, ip_address: null, user_agent: null },
      ])
    })

    test('a user name longer than the column is cut, not refused', async () => {
      await db.query(`select set_config('app.current_user_id', repeat('u', 300), true)`)
      await add('rate_history')
      expect(await value('select length(user_id) from audit_log')).toBe('100')
    })

    test('a key can be deleted, also by a session that uses it; its trail stays', async () => {
      const key = await add('api_keys')
      await db.query(`select set_config('app.current_api_key_id', $1, true)`, [key])
      await add('rate_history')
      expect(await value(`select api_key_id from audit_log where table_name = 'rate_history'`)).toBe(key)
      await db.query('delete from api_keys')
      expect(await db.query('select table_name, action, api_key_id from audit_log order by 1, 2')).toEqual([
        { table_name: 'api_keys', action: 'DELETE', api_key_id: null },
        { table_name: 'api_keys', action: 'INSERT', api_key_id: null },
        { table_name: 'rate_history', action: 'INSERT', api_key_id: null },
      ])
    })

    test('is found whatever the search path, and no temporary table catches its rows', async () => {
      await db.query('create temporary table audit_log (like audit_log)')
      await db.query('create temporary table api_keys (like api_keys)')
      await db.query(`select set_config('app.current_api_key_id', gen_random_uuid()::text, true)`)
      await db.query(`set local search_path = ''`)
      await db.query(`insert into public.rate_history (quote_date) values ('2030-01-01')`)
      expect(await value('select count(*) from public.audit_log')).toBe('1')
    })

    test('is written for a role that may not write it', async () => {
      const role = `dbkit_writer_${String(process.pid)}`
      await db.query(`create role ${role}`)
      await db.query(`grant usage on schema public to ${role}`)
      await db.query(`grant select, insert on rate_history to ${role}`)
      await db.query(`set local role ${role}`)
      await db.query(insertInto('rate_history'))
      await db.refuses(insertInto('audit_log'), '42501', 'audit_log')
      await db.query('reset role')
      expect(await value('select count(*) from audit_log')).toBe('1')
    })

    test('writes a moment alike in every time zone', async () => {
      const written = new Set<unknown>()
      for (const zone of ZONES) {
        await db.query(`set local timezone = '${zone}'`)
        await db.query('delete from audit_log')
        await add('rate_history', { created_at: "timestamptz '2030-01-01 12:00Z'" })
        written.add(await value(`select new_values ->> 'created_at' from audit_log`))
      }
      expect([...written]).toEqual(['2030-01-01T12:00:00+00:00'])
    })

    test('a trigger without the primary key column says so', async () => {
      await db.query('create table wrong (wrong_id uuid default gen_random_uuid())')
      await db.query(
        'create trigger audit_wrong after insert on wrong for each row execute function audit_trigger_function()',
      )
      await db.refuses('insert into wrong default values', 'P0001', 'must name the primary key column')
    })
  })

  describe('calculate_negotiation_threshold', () => {
    const threshold = (rate: string, urgency: string, history: string) =>
      db.query(
        `select t ->> 'minimum_rate' as minimum, t ->> 'maximum_rate' as maximum, t ->> 'auto_accept_threshold' as auto,
           t ->> 'loadboard_rate' as board, t #>> '{factors_applied,urgency_factor}' as urgency,
           t #>> '{factors_applied,history_factor}' as history
         from calculate_negotiation_threshold(${rate}, ${urgency}, ${history}) as t`,
      )

    test.each([
      [
        '2800',
        "'HIGH'",
        `'{"total_loads": 15, "avg_rating": 4.8}'`,
        ['2660.00', '3295.60', '2856.00', '1.10', '1.07'],
      ],
      ['2550', "'CRITICAL'", `'{"total_loads": 11}'`, ['2422.50', '3079.13', '2601.00', '1.15', '1.05']],
      ['2200', "'LOW'", `'{"avg_rating": 4.6}'`, ['2090.00', '2244.00', '2244.00', '1.0', '1.02']],
      ['1000', "'NORMAL'", 'null', ['950.00', '1050.00', '1020.00', '1.05', '1.0']],
      // Ten loads and a rating of 4.5 are not yet enough.
      [
        '1000',
        "'NORMAL'",
        `'{"total_loads": 10, "avg_rating": 4.5}'`,
        ['950.00', '1050.00', '1020.00', '1.05', '1.0'],
      ],
      ['1000', "'SOMETHING'", `'{}'`, ['950.00', '1000.00', '1020.00', '1.0', '1.0']],
      ['1000', 'null', 'null', ['950.00', '1000.00', '1020.00', '1.0', '1.0']],
      // Counts arrive as text, with decimals or empty.
      ['1000', "'LOW'", `'{"total_loads": "12.0"}'`, ['950.00', '1050.00', '1020.00', '1.0', '1.05']],
      ['1000', "'LOW'", `'{"total_loads": 12.5}'`, ['950.00', '1050.00', '1020.00', '1.0', '1.05']],
      [
        '1000',
        "'LOW'",
        `'{"total_loads": "", "avg_rating": null}'`,
        ['950.00', '1000.00', '1020.00', '1.0', '1.0'],
      ],
    ])('%s %s %s', async (rate, urgency, history, [minimum, maximum, auto, urgencyFactor, historyFactor]) => {
      expect(await threshold(rate, urgency, history)).toEqual([
        { minimum, maximum, auto, board: rate, urgency: urgencyFactor, history: historyFactor },
      ])
    })
  })

  describe('v_active_loads', () => {
    const today = "(now() at time zone 'UTC')::date"

    test('shows what is on offer', async () => {
      await add('loads', { reference_number: "'shown'" })
      await add('loads', { reference_number: "'shown too'", expires_at: "now() + interval '1 minute'" })
      await add('loads', { status: "'BOOKED'" })
      await add('loads', { is_active: 'false' })
      await add('loads', { is_active: 'null' })
      await add('loads', { deleted_at: 'now()' })
      await add('loads', { expires_at: 'now()' })
      expect(await db.query('select reference_number from v_active_loads order by 1')).toEqual([
        { reference_number: 'shown' },
        { reference_number: 'shown too' },
      ])
    })

    test.each(ZONES)('counts hours and days in UTC in a session of %s', async (zone) => {
      await db.query(`set local timezone = '${zone}'`)
      const pickup = "(now() at time zone 'UTC' + interval '60.5 hours')"
      const dates = (days: number): Values => ({
        reference_number: `'day ${String(days)}'`,
        pickup_date: `${today} + ${String(days)}`,
        delivery_date: `${today} + 9`,
      })
      await add('loads', {
        reference_number: "'timed'",
        pickup_date: `${pickup}::date`,
        pickup_time_start: `${pickup}::time`,
        delivery_date: `${today} + 9`,
      })
      expect(await value('select hours_until_pickup from v_active_loads')).toBe('60.50')
      await db.query('delete from loads')
      for (const days of [0, 1, 2, 3, 4]) await add('loads', dates(days))
      expect(
        await db.query('select reference_number, time_sensitivity from v_active_loads order by 1'),
      ).toEqual([
        { reference_number: 'day 0', time_sensitivity: 'URGENT' },
        { reference_number: 'day 1', time_sensitivity: 'URGENT' },
        { reference_number: 'day 2', time_sensitivity: 'SOON' },
        { reference_number: 'day 3', time_sensitivity: 'SOON' },
        { reference_number: 'day 4', time_sensitivity: 'NORMAL' },
      ])
      // Without a pickup time the day begins at midnight.
      expect(
        await value(
          `select hours_until_pickup
              = round(extract(epoch from (${today} + 2)::timestamp - (now() at time zone 'UTC')) / 3600, 2)
           from v_active_loads where reference_number = 'day 2'`,
        ),
      ).toBe('t')
    })

    test('tells the latest offer, not the highest', async () => {
      const load = await add('loads')
      const fresh = await add('loads')
      const offer = (round: number, amount: number, values: Values = {}) =>
        add('negotiations', {
          load_id: `'${load}'`,
          session_id: "'s-1'",
          round_number: String(round),
          carrier_offer: String(amount),
          ...values,
        })
      await offer(1, 1300)
      await offer(2, 1200)
      await offer(3, 1100)
      const state = (id: string) =>
        db.query('select times_negotiated, last_offered_rate from v_active_loads where load_id = $1', [id])
      expect(await state(load)).toEqual([{ times_negotiated: '3', last_offered_rate: '1100.00' }])
      expect(await state(fresh)).toEqual([{ times_negotiated: '0', last_offered_rate: '2800.00' }])
      // Rounds of another session in the same transaction: the session that began later is the latest.
      await offer(1, 900, { session_id: "'s-0'", session_start: "now() - interval '1 day'" })
      expect(await state(load)).toEqual([{ times_negotiated: '4', last_offered_rate: '1100.00' }])
      // What was stored later wins over all.
      await offer(1, 1250, { session_id: "'s-2'", created_at: "now() + interval '1 second'" })
      expect(await state(load)).toEqual([{ times_negotiated: '5', last_offered_rate: '1250.00' }])
    })
  })

  /** A call with the given rounds; `deals` are the agreed rates of loads of their own. */
  const addCall = async (
    values: Values,
    rounds: number,
    deals: number[] = [],
    carrier?: string,
  ): Promise<string> => {
    const load = await add('loads')
    const call = await add('calls', {
      ...values,
      ...(carrier === undefined ? {} : { carrier_id: `'${carrier}'` }),
    })
    for (let round = 1; round <= rounds; round += 1) {
      await add('negotiations', {
        call_id: `'${call}'`,
        load_id: `'${load}'`,
        session_id: `'${call}'`,
        round_number: String(round),
      })
    }
    for (const [index, rate] of deals.entries()) {
      const other = await add('loads')
      await add('negotiations', {
        call_id: `'${call}'`,
        load_id: index === 0 ? `'${load}'` : `'${other}'`,
        session_id: `'${call}-${String(index)}'`,
        final_status: "'DEAL_ACCEPTED'",
        system_response: "'ACCEPTED'",
        agreed_rate: String(rate),
      })
    }
    return call
  }

  describe('v_carrier_performance', () => {
    const record = async (carrier: string, columns: string) =>
      (await db.query(`select ${columns} from v_carrier_performance where carrier_id = $1`, [carrier]))[0]

    test('a carrier that never called has a row', async () => {
      const carrier = await add('carriers', { mc_number: "'77'" })
      expect(await db.query('select * from v_carrier_performance')).toEqual([
        {
          carrier_id: carrier,
          mc_number: '77',
          legal_name: 'SOME CARRIER LLC',
          total_calls: '0',
          loads_booked: '0',
          avg_negotiation_rounds: null,
          avg_sentiment_score: null,
          accepted_count: '0',
          declined_count: '0',
          last_contact_date: null,
          equipment_types_used: '{}',
        },
      ])
    })

    test('a call with three rounds counts once', async () => {
      const carrier = await add('carriers')
      await addCall({ sentiment_score: '0.9', outcome: "'ACCEPTED'" }, 3, [], carrier)
      await addCall({ sentiment_score: '0.1', outcome: "'DECLINED'" }, 1, [], carrier)
      expect(
        await record(
          carrier,
          `total_calls, accepted_count, declined_count, trim_scale(avg_sentiment_score) as mood,
           trim_scale(avg_negotiation_rounds) as rounds`,
        ),
      ).toEqual({ total_calls: '2', accepted_count: '1', declined_count: '1', mood: '0.5', rounds: '2' })
    })

    test('rounds whose call is archived still count for the carrier they name', async () => {
      const carrier = await add('carriers')
      const call = await addCall({}, 3, [], carrier)
      await db.query(`update negotiations set carrier_id = $1`, [carrier])
      expect(await record(carrier, 'trim_scale(avg_negotiation_rounds) as rounds')).toEqual({ rounds: '3' })
      await db.query(`delete from calls where call_id = '${call}'`)
      expect(await record(carrier, 'total_calls, trim_scale(avg_negotiation_rounds) as rounds')).toEqual({
        total_calls: '0',
        rounds: '3',
      })
    })

    test('rounds count for the carrier of their call, once, whatever carrier they name', async () => {
      const caller = await add('carriers')
      const named = await add('carriers')
      await addCall({}, 2, [], caller)
      await db.query(`update negotiations set carrier_id = $1`, [named])
      expect(await record(caller, 'trim_scale(avg_negotiation_rounds) as rounds')).toEqual({ rounds: '2' })
      expect(await record(named, 'trim_scale(avg_negotiation_rounds) as rounds')).toEqual({ rounds: null })
    })

    test('a load counts for the carrier that booked it, not for all that called about it', async () => {
      const winner = await add('carriers')
      const other = await add('carriers')
      const load = await add('loads', {
        status: "'BOOKED'",
        booked_by_carrier_id: `'${winner}'`,
        equipment_type: "'Flatbed'",
      })
      // Under way already: no longer BOOKED.
      await add('loads', { status: "'IN_TRANSIT'", booked_by_carrier_id: `'${winner}'` })
      for (const carrier of [winner, winner, other]) {
        await add('calls', { carrier_id: `'${carrier}'`, load_id: `'${load}'` })
      }
      await add('calls', { carrier_id: `'${other}'` })
      expect(await record(winner, 'loads_booked, equipment_types_used')).toEqual({
        loads_booked: '1',
        equipment_types_used: '{Flatbed}',
      })
      expect(await record(other, 'total_calls, loads_booked, equipment_types_used')).toEqual({
        total_calls: '2',
        loads_booked: '0',
        equipment_types_used: '{Flatbed}',
      })
    })
  })

  describe('v_daily_metrics', () => {
    const noon = "((now() at time zone 'UTC')::date + time '12:00') at time zone 'UTC'"

    test.each(['UTC', 'Pacific/Apia'])(
      'says what it said before it was made faster, in a session of %s',
      async (zone) => {
        await db.query(`
        set local timezone = '${zone}';
        set local session_replication_role = replica;
        insert into carriers (${Object.keys(LEAST['carriers'] ?? {}).join(', ')})
          select ${Object.values(LEAST['carriers'] ?? {}).join(', ')} from generate_series(1, 40);
        insert into loads (${Object.keys(LEAST['loads'] ?? {}).join(', ')})
          select ${Object.values(LEAST['loads'] ?? {}).join(', ')} from generate_series(1, 50);
        create temp table few on commit drop as
          select n, gen_random_uuid() as call_id,
            case n
              when 1 then 'infinity'
              when 2 then (now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '1 microsecond'
              when 3 then (now() at time zone 'UTC')::date::timestamp at time zone 'UTC'
              when 4 then now() + interval '400 years'
              else date_trunc('minute', now()) + interval '7 days' - n * interval '37 minutes'
            end as start_time
          from generate_series(1, 2500) n;
        insert into calls (call_id, carrier_id, start_time, call_type, outcome, duration_seconds, sentiment, transferred_to_human)
          select call_id, (array_append(array(select carrier_id from carriers order by 1), null))[1 + n % 41], start_time, 'INBOUND',
            (array['ACCEPTED', 'DECLINED', 'WRONG_LANE'])[1 + n % 3], nullif(n % 97, 0),
            (array['POSITIVE', 'NEUTRAL', 'NEGATIVE', null])[1 + n % 4], (array[true, false, null])[1 + n % 3]
          from few;
        insert into negotiations (call_id, load_id, session_id, round_number, carrier_offer, system_response, loadboard_rate,
            final_status, agreed_rate)
          select case when r % 19 = 0 then null else call_id end, (array(select load_id from loads order by 1))[1 + (n + r / 3) % 50],
            n || '-' || r % 2, r, 1000 + r, 'REJECTED', 1000,
            (array['DEAL_ACCEPTED', 'TIMEOUT', null])[1 + (n + r) % 3], nullif((n * r) % 7, 0) * 100.25
          from few cross join generate_series(1, n % 6) r;
        create temp view earlier as ${earlierView('happyrobot', '0010_daily_metrics', 'v_daily_metrics')}`)
        expect(
          await db.query('select count(*) > 30 as days, sum(total_calls) > 1000 as calls from earlier'),
        ).toEqual([{ days: 't', calls: 't' }])
        expect(
          await db.query(
            `(table earlier except all table v_daily_metrics) union all (table v_daily_metrics except all table earlier)`,
          ),
        ).toEqual([])
      },
    )

    test('a call counts once, whatever its rounds, and each of its deals counts', async () => {
      const carrier = await add('carriers')
      await addCall(
        { start_time: noon, duration_seconds: '300', sentiment: "'POSITIVE'", outcome: "'ACCEPTED'" },
        3,
        [1100],
        carrier,
      )
      await addCall(
        { start_time: noon, duration_seconds: '100', sentiment: "'NEGATIVE'", transferred_to_human: 'true' },
        1,
        [],
        carrier,
      )
      const metrics = `
        total_calls, unique_carriers, deals_closed, trim_scale(avg_call_duration) as duration,
        trim_scale(avg_sentiment) as mood, trim_scale(total_revenue) as revenue,
        trim_scale(avg_negotiation_rounds) as rounds, human_handoffs`
      expect(await db.query(`select ${metrics} from v_daily_metrics`)).toEqual([
        {
          total_calls: '2',
          unique_carriers: '1',
          deals_closed: '1',
          duration: '200',
          mood: '0',
          revenue: '1100',
          rounds: '2',
          human_handoffs: '1',
        },
      ])
      // A third call closes two loads; nobody judged its mood.
      await addCall({ start_time: noon, outcome: "'ACCEPTED'", duration_seconds: '200' }, 2, [500, 700])
      expect(await db.query(`select ${metrics} from v_daily_metrics`)).toEqual([
        {
          total_calls: '3',
          unique_carriers: '1',
          deals_closed: '2',
          duration: '200',
          mood: '0',
          revenue: '2300',
          rounds: '2',
          human_handoffs: '1',
        },
      ])
    })

    test('the rate that all rounds of a deal repeat is counted once', async () => {
      await addCall({ start_time: noon, outcome: "'ACCEPTED'" }, 3)
      await db.query(`update negotiations set final_status = 'DEAL_ACCEPTED', agreed_rate = 1100`)
      expect(await value('select total_revenue from v_daily_metrics')).toBe('1100.00')
    })

    test('calls without a mood do not count as bad ones', async () => {
      await add('calls', { start_time: noon, sentiment: "'POSITIVE'" })
      await add('calls', { start_time: noon, sentiment: "'NEUTRAL'" })
      await add('calls', { start_time: noon })
      expect(await value('select trim_scale(avg_sentiment) from v_daily_metrics')).toBe('0.5')
    })

    test.each(ZONES)(
      'days are days of UTC in a session of %s, 30 of them back, newest first',
      async (zone) => {
        await db.query(`set local timezone = '${zone}'`)
        const at = (days: number, time: string): Values => ({
          start_time: `((now() at time zone 'UTC')::date - ${String(days)} + time '${time}') at time zone 'UTC'`,
        })
        for (const values of [
          at(31, '23:59:59.999999'),
          at(30, '00:00'),
          at(2, '00:30'),
          at(2, '23:30'),
          at(1, '00:00'),
        ]) {
          await add('calls', values)
        }
        expect(
          await db.query(
            `select (now() at time zone 'UTC')::date - date as days_ago, total_calls from v_daily_metrics`,
          ),
        ).toEqual([
          { days_ago: '1', total_calls: '1' },
          { days_ago: '2', total_calls: '2' },
          { days_ago: '30', total_calls: '1' },
        ])
      },
    )
  })

  test('a call with negotiations can be moved to the archive in one statement', async () => {
    const call = await addCall({ start_time: "now() - interval '91 days'", transcript: "'kept'" }, 2)
    await addCall({ start_time: "now() - interval '89 days'" }, 1)
    const columns = columnNames('calls').join(', ')
    await db.query(
      `with moved as (
         delete from calls where start_time < now() - interval '90 days' returning ${columns}
       )
       insert into calls_archive (${columns}) select ${columns} from moved`,
    )
    expect(await db.query('select call_id, transcript, version from calls_archive')).toEqual([
      { call_id: call, transcript: 'kept', version: '1' },
    ])
    expect(await value('select count(*) from calls')).toBe('1')
    expect(
      await db.query(
        `select session_id, count(*), count(call_id) as linked from negotiations group by 1 order by 3`,
      ),
    ).toEqual([
      { session_id: call, count: '2', linked: '0' },
      { session_id: expect.any(String), count: '1', linked: '1' },
    ])
    expect((await trail('calls')).map((row) => row.action)).toEqual(['INSERT', 'INSERT', 'DELETE'])
  })
})

describeSystem('happyrobot', { seed: ['reference', 'sample'] }, (db) => {
  test('the ten equipment types', async () => {
    expect(
      await db.query(
        `select name, category, typical_capacity as capacity, dimensions from equipment_types
         where name not in ('Tanker', 'Sprinter Van', 'Livestock Pot') order by category, name`,
      ),
    ).toEqual([
      { name: 'Double Drop', category: 'FLATBED', capacity: '45000', dimensions: '29ft well' },
      { name: 'Flatbed', category: 'FLATBED', capacity: '48000', dimensions: '48ft x 8.5ft' },
      { name: 'Step Deck', category: 'FLATBED', capacity: '48000', dimensions: '48ft x 8.5ft' },
      { name: 'Power Only', category: 'POWER_ONLY', capacity: null, dimensions: null },
      { name: 'Hotshot', category: 'SPECIALIZED', capacity: '20000', dimensions: '40ft' },
      { name: 'RGN', category: 'SPECIALIZED', capacity: '70000', dimensions: 'Variable' },
      { name: '48-foot van', category: 'VAN', capacity: '43000', dimensions: '48ft x 8.5ft x 9ft' },
      { name: '53-foot van', category: 'VAN', capacity: '45000', dimensions: '53ft x 8.5ft x 9ft' },
      { name: 'Box Truck', category: 'VAN', capacity: '12000', dimensions: '26ft x 8ft x 8ft' },
      { name: 'Reefer', category: 'VAN', capacity: '43000', dimensions: '53ft x 8.5ft x 9ft' },
    ])
  })

  test('the five documented carriers', async () => {
    const rows = await db.query(
      `select concat_ws('|', mc_number, dot_number, legal_name, coalesce(dba_name, '-'), entity_type, operating_status,
         status, insurance_on_file, is_eligible) as line
       from carriers where mc_number in ('123456', '234567', '345678', '456789', '567890') order by mc_number`,
    )
    expect(rows.map((row) => row.line)).toEqual([
      '123456|789012|ACME TRUCKING LLC|ACME EXPRESS|CARRIER|AUTHORIZED_FOR_HIRE|ACTIVE|t|t',
      '234567|890123|BEST LOGISTICS INC|-|CARRIER|AUTHORIZED_FOR_HIRE|ACTIVE|t|t',
      '345678|901234|CARGO MASTERS LLC|CARGO PROS|CARRIER|NOT_AUTHORIZED|ACTIVE|f|f',
      '456789|012345|DELTA FREIGHT CORP|-|CARRIER|AUTHORIZED_FOR_HIRE|ACTIVE|t|t',
      '567890|123456|EXPRESS CARRIERS INC|EXPRESS LINE|CARRIER|AUTHORIZED_FOR_HIRE|ACTIVE|t|t',
    ])
  })

  test('the five documented loads, and only these, are on offer', async () => {
    // A test that runs over midnight must not fail: the seeds count from the day on which they were loaded.
    const rows = await db.query(
      `select concat_ws('|', reference_number, origin_city, origin_state, destination_city, destination_state,
         pickup_date - (select min(pickup_date) from v_active_loads) + 1,
         delivery_date - (select min(pickup_date) from v_active_loads) + 1,
         equipment_type, weight, miles, loadboard_rate, commodity_type, urgency) as line
       from v_active_loads order by reference_number`,
    )
    expect(rows.map((row) => row.line)).toEqual([
      'REF-001|Dallas|TX|Los Angeles|CA|1|4|53-foot van|42000|1400|2800.00|General Merchandise|HIGH',
      'REF-002|Chicago|IL|Atlanta|GA|2|3|Reefer|38000|720|2200.00|Produce|NORMAL',
      'REF-003|Phoenix|AZ|Denver|CO|1|2|Flatbed|45000|850|2550.00|Steel Coils|CRITICAL',
      'REF-004|Seattle|WA|San Francisco|CA|3|4|48-foot van|35000|810|2100.00|Electronics|NORMAL',
      'REF-005|Miami|FL|New York|NY|2|5|Reefer|40000|1280|3200.00|Pharmaceuticals|HIGH',
    ])
    expect(
      await db.query(
        `select bool_and(pickup_date - (created_at at time zone 'UTC')::date between 1 and 3) as near from v_active_loads`,
      ),
    ).toEqual([{ near: 't' }])
  })

  test('a call of two rounds led to a booking, and the views tell it', async () => {
    expect(
      await db.query(
        `select total_calls, loads_booked, accepted_count, trim_scale(avg_negotiation_rounds) as rounds
         from v_carrier_performance where mc_number = '234567'`,
      ),
    ).toEqual([{ total_calls: '2', loads_booked: '1', accepted_count: '1', rounds: '2' }])
    expect(
      await db.query(
        `select count(*) > 5 as days, sum(deals_closed) as deals, sum(total_revenue) as revenue from v_daily_metrics`,
      ),
    ).toEqual([{ days: 't', deals: '3', revenue: '7230.00' }])
  })

  test('every listed value occurs', async () => {
    for (const [table, lists] of Object.entries(LISTS)) {
      for (const [column, listed] of Object.entries(lists)) {
        const rows = await db.query(
          `select distinct ${column} as value from ${table} where ${column} is not null`,
        )
        expect({ table, column, values: rows.map((row) => row.value).sort() }).toEqual({
          table,
          column,
          values: [...listed].sort(),
        })
      }
    }
  })

  test('every nullable column occurs with a value and without one', async () => {
    const columns = await db.query(
      `select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid
       where relnamespace = 'public'::regnamespace and relkind = 'r'
         and attnum > 0 and not attnotnull and attgenerated = ''`,
    )
    const oneSided: string[] = []
    for (const { relname, attname } of columns) {
      const counts = await db.query(
        `select bool_or(${String(attname)} is null) and bool_or(${String(attname)} is not null) as both from ${String(relname)}`,
      )
      if (single(counts) !== 't') oneSided.push(`${String(relname)}.${String(attname)}`)
    }
    expect(columns.length).toBeGreaterThan(150)
    expect(oneSided).toEqual([])
  })

  test('every row is on its audit trail', async () => {
    for (const [table, { key }] of Object.entries(AUDITED)) {
      const missing = await db.query(
        `select count(*) from ${table} where not exists (
           select from audit_log where table_name = '${table}' and action = 'INSERT' and record_id = ${table}.${key})`,
      )
      expect({ table, missing: single(missing) }).toEqual({ table, missing: '0' })
    }
  })
})
