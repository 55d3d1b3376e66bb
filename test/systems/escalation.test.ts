import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { describeSystem, earlierView } from '../support/systems.js'

// A column a line: name, type (! for NOT NULL), = default. utc stands for now() in UTC.
const tables = {
  customers: `
    id uuid! = gen_random_uuid()
    company_name varchar(255)!
    contact_name varchar(255)!
    email varchar(255)!
    phone varchar(50)
    mobile varchar(50)
    address jsonb
    preferred_contact_method varchar(20)
    tags text[]
    created_at timestamp! = utc
    updated_at timestamp! = utc
    deleted_at timestamp`,
  customer_profiles: `
    id uuid! = gen_random_uuid()
    customer_id uuid!
    risk_level varchar(20)
    risk_score numeric(5,2)
    average_payment_delay integer
    response_rate numeric(3,2)
    preferred_contact_time_start time
    preferred_contact_time_end time
    timezone varchar(50)
    communication_style varchar(20)
    do_not_contact boolean = false
    contact_restrictions text[]
    notes text[]
    last_contact_date timestamp
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  payment_records: `
    id uuid! = gen_random_uuid()
    customer_id uuid!
    amount numeric(12,2)!
    currency varchar(3)! = 'USD'
    due_date date!
    paid_date date
    status varchar(20)!
    invoice_number varchar(100)!
    description text
    metadata jsonb
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  agents: `
    id uuid! = gen_random_uuid()
    type varchar(20)!
    status varchar(20)!
    capabilities text[]!
    current_task_count integer = 0
    max_concurrent_tasks integer! = 5
    working_hours_start time
    working_hours_end time
    timezone varchar(50) = 'UTC'
    config jsonb
    performance_metrics jsonb
    created_at timestamp! = utc
    updated_at timestamp! = utc
    last_active_at timestamp`,
  campaigns: `
    id uuid! = gen_random_uuid()
    name varchar(255)!
    description text
    customer_id uuid!
    payment_record_id uuid
    status varchar(20)!
    escalation_steps jsonb!
    current_step integer! = 0
    start_date timestamp!
    end_date timestamp
    paused_until timestamp
    results jsonb
    config jsonb
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  tasks: `
    id uuid! = gen_random_uuid()
    type varchar(50)!
    priority varchar(20)!
    customer_id uuid!
    campaign_id uuid
    payment_record_id uuid
    status varchar(20)!
    assigned_agent_id uuid
    context jsonb!
    attempts integer = 0
    max_attempts integer = 3
    due_at timestamp
    started_at timestamp
    completed_at timestamp
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  contact_attempts: `
    id uuid! = gen_random_uuid()
    task_id uuid!
    agent_id uuid!
    customer_id uuid!
    campaign_id uuid
    channel varchar(20)!
    status varchar(20)!
    timestamp timestamp! = utc
    duration integer
    response text
    metadata jsonb
    created_at timestamp! = utc`,
  templates: `
    id uuid! = gen_random_uuid()
    name varchar(100)!
    type varchar(20)!
    channel varchar(20)!
    subject varchar(255)
    content text!
    html_content text
    variables text[]
    category varchar(50)
    is_active boolean = true
    version integer = 1
    created_by varchar(100)
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  audit_logs: `
    id uuid! = gen_random_uuid()
    entity_type varchar(50)!
    entity_id uuid!
    action varchar(50)!
    actor_type varchar(50)
    actor_id varchar(100)
    changes jsonb
    metadata jsonb
    ip_address inet
    user_agent text
    timestamp timestamp! = utc`,
  opt_outs: `
    id uuid! = gen_random_uuid()
    customer_id uuid!
    channel varchar(20)!
    reason text
    opted_out_at timestamp! = utc
    expires_at timestamp
    metadata jsonb`,
  compliance_rules: `
    id uuid! = gen_random_uuid()
    name varchar(100)!
    description text
    rule_type varchar(50)!
    condition jsonb!
    action varchar(50)!
    severity varchar(20)
    is_enabled boolean = true
    created_at timestamp! = utc
    updated_at timestamp! = utc`,
  system_metrics: `
    id uuid! = gen_random_uuid()
    metric_type varchar(50)!
    metric_name varchar(100)!
    value numeric(12,4)!
    dimensions jsonb
    timestamp timestamp! = utc`,
}
type Table = keyof typeof tables
const tableNames = (Object.keys(tables) as Table[]).sort()

const indexes = `
  idx_agents_status agents (status)
  idx_agents_type agents (type)
  idx_audit_logs_entity_type_id audit_logs (entity_type, entity_id)
  idx_audit_logs_timestamp audit_logs ("timestamp")
  idx_campaigns_customer_id campaigns (customer_id)
  idx_campaigns_payment_record_id campaigns (payment_record_id)
  idx_campaigns_start_date campaigns (start_date)
  idx_campaigns_status campaigns (status)
  idx_contact_attempts_agent_id contact_attempts (agent_id)
  idx_contact_attempts_agent_status contact_attempts (agent_id, status)
  idx_contact_attempts_campaign_id contact_attempts (campaign_id)
  idx_contact_attempts_channel contact_attempts (channel)
  idx_contact_attempts_customer_id contact_attempts (customer_id)
  idx_contact_attempts_task_id contact_attempts (task_id)
  idx_contact_attempts_timestamp contact_attempts ("timestamp")
  idx_customer_profiles_customer_id customer_profiles (customer_id)
  idx_customers_company_name customers (company_name)
  idx_customers_deleted_at customers (deleted_at) WHERE (deleted_at IS NULL)
  idx_customers_email customers (email)
  idx_opt_outs_customer_id opt_outs (customer_id)
  idx_payment_records_customer_id payment_records (customer_id)
  idx_payment_records_due_date payment_records (due_date)
  idx_payment_records_invoice_number payment_records (invoice_number)
  idx_payment_records_status payment_records (status)
  idx_system_metrics_type_timestamp system_metrics (metric_type, "timestamp")
  idx_tasks_agent_completed tasks (assigned_agent_id) INCLUDE (started_at, completed_at) WHERE ((status)::text = 'completed'::text)
  idx_tasks_agent_others tasks (assigned_agent_id, status) WHERE ((status)::text <> 'completed'::text)
  idx_tasks_assigned_agent_id tasks (assigned_agent_id)
  idx_tasks_campaign_id tasks (campaign_id)
  idx_tasks_customer_id tasks (customer_id)
  idx_tasks_due_at tasks (due_at)
  idx_tasks_payment_record_id tasks (payment_record_id)
  idx_tasks_queue tasks (( CASE priority WHEN 'urgent'::text THEN 1 WHEN 'high'::text THEN 2 WHEN 'medium'::text THEN 3 ELSE 4 END), due_at, created_at, id) WHERE ((status)::text = ANY ((ARRAY['pending'::character varying, 'assigned'::character varying])::text[]))
  idx_tasks_status tasks (status)
  idx_tasks_type_status tasks (type, status)`

const keys = `
  campaigns_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  campaigns_payment_record_id_fkey FOREIGN KEY (payment_record_id) REFERENCES payment_records(id) ON DELETE SET NULL
  compliance_rules_name_key UNIQUE (name)
  contact_attempts_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id) ON DELETE CASCADE
  contact_attempts_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE SET NULL
  contact_attempts_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  contact_attempts_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks(id) ON DELETE CASCADE
  customer_profiles_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  customer_profiles_customer_id_key UNIQUE (customer_id)
  customers_email_key UNIQUE (email)
  opt_outs_customer_id_channel_key UNIQUE (customer_id, channel)
  opt_outs_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  payment_records_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  payment_records_invoice_number_key UNIQUE (invoice_number)
  tasks_assigned_agent_id_fkey FOREIGN KEY (assigned_agent_id) REFERENCES agents(id) ON DELETE SET NULL
  tasks_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE
  tasks_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE
  tasks_payment_record_id_fkey FOREIGN KEY (payment_record_id) REFERENCES payment_records(id) ON DELETE SET NULL
  templates_name_key UNIQUE (name)`

const closedLists: readonly (readonly [Table, string, readonly string[]])[] = [
  ['customers', 'preferred_contact_method', ['email', 'phone', 'sms']],
  ['customer_profiles', 'risk_level', ['low', 'medium', 'high', 'critical']],
  ['customer_profiles', 'communication_style', ['formal', 'casual', 'direct', 'diplomatic']],
  ['payment_records', 'status', ['pending', 'overdue', 'paid', 'partial', 'cancelled']],
  ['agents', 'type', ['email', 'phone', 'sms', 'research']],
  ['agents', 'status', ['idle', 'active', 'busy', 'error', 'offline']],
  ['campaigns', 'status', ['draft', 'active', 'paused', 'completed', 'cancelled']],
  ['tasks', 'type', ['send_email', 'make_call', 'send_sms', 'research_customer', 'escalate', 'follow_up']],
  ['tasks', 'priority', ['low', 'medium', 'high', 'urgent']],
  ['tasks', 'status', ['pending', 'assigned', 'in_progress', 'completed', 'failed', 'cancelled']],
  ['contact_attempts', 'channel', ['email', 'phone', 'sms']],
  ['contact_attempts', 'status', ['sent', 'delivered', 'opened', 'answered', 'replied', 'bounced', 'failed']],
  ['templates', 'type', ['email', 'sms', 'phone_script']],
  ['templates', 'channel', ['email', 'phone', 'sms']],
  ['audit_logs', 'actor_type', ['agent', 'user', 'system']],
  ['opt_outs', 'channel', ['email', 'phone', 'sms', 'all']],
  ['compliance_rules', 'action', ['block_contact', 'require_approval', 'log_warning', 'escalate']],
  ['compliance_rules', 'severity', ['low', 'medium', 'high', 'critical']],
]

const openLists: readonly (readonly [Table, string])[] = [
  ['templates', 'category'],
  ['audit_logs', 'entity_type'],
  ['audit_logs', 'action'],
  ['compliance_rules', 'rule_type'],
  ['system_metrics', 'metric_type'],
]

const ranges: readonly (readonly [Table, string, readonly string[], readonly string[]])[] = [
  ['customer_profiles', 'risk_score', ['0', '100', '66.52'], ['-0.01', '100.01', '999', 'NaN']],
  ['customer_profiles', 'response_rate', ['0', '1', '0.4'], ['-0.01', '1.01', '7.5', 'NaN']],
]

const views = {
  v_active_campaigns:
    'campaign_id campaign_name status customer_id company_name contact_name email phone preferred_contact_method payment_record_id invoice_number amount currency due_date current_step total_steps start_date end_date paused_until created_at updated_at',
  v_agent_performance:
    'agent_id agent_type status current_task_count max_concurrent_tasks total_tasks completed_tasks failed_tasks success_rate avg_completion_seconds total_contact_attempts successful_contacts last_active_at',
  v_campaign_effectiveness:
    'campaign_id campaign_name status customer_id company_name total_tasks completed_tasks failed_tasks total_contact_attempts responses response_rate payment_status payment_amount amount_recovered',
  v_customer_communications:
    'contact_attempt_id customer_id company_name contact_name channel status contacted_at duration response metadata task_id task_type campaign_id campaign_name agent_id agent_type',
  v_overdue_payments:
    'payment_record_id invoice_number amount currency due_date days_overdue status customer_id company_name contact_name email phone risk_level risk_score do_not_contact',
  v_pending_tasks:
    'task_id type priority status context attempts max_attempts due_at customer_id company_name contact_name email phone campaign_id campaign_name campaign_status payment_record_id invoice_number amount due_date assigned_agent_id agent_type agent_status created_at',
}

const viewNames = Object.keys(views) as (keyof typeof views)[]

const withUpdatedAt = tableNames.filter((table) => tables[table].includes('updated_at'))

// One of the two is in another day than UTC, whatever the time of day.
const farZones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago']
const nobody = '00000000-0000-4000-8000-0000000000ff'

const linesOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim())

/** A value of a row: text becomes a literal, `sql` stays an expression. */
type Value = string | null | { readonly sql: string }
type Row = Readonly<Record<string, Value>>

const literal = (value: Value): string =>
  value === null ? 'null' : typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : value.sql

const today = (days = 0): Value => ({ sql: `(now() at time zone 'UTC')::date + ${String(days)}` })
const hoursFromNow = (hours: number): Value => ({
  sql: `now() at time zone 'UTC' + interval '${String(hours)} hours'`,
})

function insertInto(table: Table, row: Row): string {
  const columns = Object.keys(row).map((column) => `"${column}"`)
  const values = Object.values(row).map(literal)
  return `insert into ${table} (${columns.join(', ')}) values (${values.join(', ')}) returning id`
}

describeSystem('escalation', (db) => {
  let added = 0

  /** Inserts a row, with what it cannot do without and the rows it refers to; gives its id. */
  async function add(table: Table, given: Row = {}): Promise<string> {
    return text(insertInto(table, await complete(table, given)))
  }

  async function complete(table: Table, given: Row): Promise<Row> {
    const name = `test ${String((added += 1))}`
    const required: Record<Table, Row> = {
      customers: { company_name: name, contact_name: name, email: `${name}@example.com` },
      customer_profiles: {},
      payment_records: { amount: '100', due_date: today(), status: 'pending', invoice_number: name },
      agents: { type: 'email', status: 'idle', capabilities: '{}' },
      campaigns: { name, status: 'draft', escalation_steps: '[]', start_date: today() },
      tasks: { type: 'send_email', priority: 'low', status: 'pending', context: '{}' },
      contact_attempts: { channel: 'email', status: 'sent' },
      templates: { name, type: 'email', channel: 'email', content: name },
      audit_logs: { entity_type: 'customer', entity_id: nobody, action: 'created' },
      opt_outs: { channel: 'email' },
      compliance_rules: { name, rule_type: 'other', condition: '{}', action: 'log_warning' },
      system_metrics: { metric_type: 'test', metric_name: name, value: '1' },
    }
    const row: Record<string, Value> = { ...required[table], ...given }
    if (tables[table].includes('customer_id uuid!')) row.customer_id ??= await add('customers')
    if (table === 'contact_attempts') {
      row.agent_id ??= await add('agents')
      row.task_id ??= await add('tasks', { customer_id: row.customer_id ?? null })
    }
    return row
  }

  /** The first column of all rows. */
  async function list(sql: string, params: string[] = []): Promise<unknown[]> {
    return (await db.query(sql, params)).map((row) => Object.values(row)[0])
  }

  /** The only value a query gives. */
  async function value(sql: string, params: string[] = []): Promise<unknown> {
    const values = await list(sql, params)
    expect(values).toHaveLength(1)
    return values[0]
  }

  const text = async (sql: string, params: string[] = []) => String(await value(sql, params))
  const inZone = (zone: string) => db.query(`set local timezone = '${zone}'`)

  describe('the catalog', () => {
    test.each(tableNames)('%s has the documented columns, types and defaults', async (table) => {
      const found = await list(
        `select a.attname || ' '
           || case when a.atttypid in ('timestamp'::regtype, 'time'::regtype)
                then replace(format_type(a.atttypid, null), ' without time zone', '')
                else replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar') end
           || case when a.attnotnull then '!' else '' end
           || coalesce(' = ' || replace(replace(pg_get_expr(d.adbin, d.adrelid),
                '(now() AT TIME ZONE ''UTC''::text)', 'utc'), '::character varying', ''), '')
         from pg_attribute a
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
         order by a.attnum`,
        [table],
      )
      expect(found).toEqual(linesOf(tables[table]))
    })

    test('has twelve tables, six views and nothing else to select from', async () => {
      const found = await db.query(
        `select relkind, string_agg(relname, ' ' order by relname collate "C") as names
         from pg_class
         where relnamespace = current_schema()::regnamespace and relkind not in ('i', 't')
         group by relkind order by relkind`,
      )
      expect(found).toEqual([
        { relkind: 'r', names: tableNames.join(' ') },
        { relkind: 'v', names: viewNames.join(' ') },
      ])
    })

    test.each(viewNames)('%s has the documented columns', async (view) => {
      const found = await list(
        'select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum',
        [view],
      )
      expect(found).toEqual(views[view].split(' '))
    })

    test('has the documented indexes', async () => {
      const found = await list(
        String.raw`select indexname || ' ' || tablename || ' ' || regexp_replace(substring(indexdef from 'USING btree (.*)$'), '\s+', ' ', 'g')
         from pg_indexes
         where schemaname = current_schema() and indexname like 'idx\_%'
         order by indexname collate "C"`,
      )
      expect(found).toEqual(linesOf(indexes))
    })

    test('has an index on every foreign key', async () => {
      const bare = await list(
        `select conname from pg_constraint k
         where contype = 'f' and connamespace = current_schema()::regnamespace and not exists (
           select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1])`,
      )
      expect(bare).toEqual([])
    })

    test('has the documented keys and delete rules', async () => {
      const found = await list(
        `select conname || ' ' || pg_get_constraintdef(oid)
         from pg_constraint
         where contype in ('f', 'u') and connamespace = current_schema()::regnamespace
         order by conname collate "C"`,
      )
      expect(found).toEqual(linesOf(keys))
    })

    test('has a trigger for updated_at on each table that has the column, and the guards of audit_logs', async () => {
      const found = await list(
        `select tgname || ' ' || tgrelid::regclass || ' ' || tgfoid::regproc
         from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where not tgisinternal and c.relnamespace = current_schema()::regnamespace
         order by tgname collate "C"`,
      )
      expect(withUpdatedAt).toHaveLength(8)
      expect(found).toEqual([
        'refuse_audit_logs_truncate audit_logs refuse_audit_logs_change',
        'refuse_audit_logs_update_or_delete audit_logs refuse_audit_logs_change',
        ...withUpdatedAt.map((table) => `update_${table}_updated_at ${table} update_updated_at_column`),
      ])
    })

    test('explains every table, column, view, function and trigger', async () => {
      const silent = await list(
        `with here as (select oid, relname, relkind from pg_class
           where relnamespace = current_schema()::regnamespace and relkind in ('r', 'v'))
         select relname::text from here where obj_description(oid, 'pg_class') is null
         union all
         select relname || '.' || attname from here join pg_attribute on attrelid = oid
         where relkind = 'r' and attnum > 0 and not attisdropped and col_description(oid, attnum) is null
         union all
         select proname::text from pg_proc
         where pronamespace = current_schema()::regnamespace and obj_description(oid, 'pg_proc') is null
         union all
         select tgname::text from pg_trigger t join here on here.oid = t.tgrelid
         where not tgisinternal and obj_description(t.oid, 'pg_trigger') is null`,
      )
      expect(silent).toEqual([])
    })
  })

  describe('closed lists', () => {
    test('are the only ones', async () => {
      const found = await list(
        `select conname from pg_constraint
         where contype = 'c' and connamespace = current_schema()::regnamespace order by conname collate "C"`,
      )
      const expected = [...closedLists, ...ranges].map(([table, column]) => `${table}_${column}_check`)
      expect(found).toEqual(expected.sort())
    })

    test.each(closedLists)('%s.%s takes its values and no other', async (table, column, values) => {
      for (const each of values) await add(table, { [column]: each })
      // One row for all: opt_outs, for instance, is also unique, and that must not be what refuses.
      const row = await complete(table, {})
      for (const wrong of ['bogus', '', ' ', String(values[0]).toUpperCase(), `${String(values[0])} `])
        await db.refuses(insertInto(table, { ...row, [column]: wrong }), '23514', `${table}_${column}_check`)
      const definition = await text(
        'select pg_get_constraintdef(oid) from pg_constraint where conname = $1',
        [`${table}_${column}_check`],
      )
      expect([...definition.matchAll(/'([^']*)'/g)].map((found) => found[1])).toEqual(values)
    })

    test.each(closedLists)(
      '%s.%s may be NULL only where it is documented as optional',
      async (table, column) => {
        const row = { ...(await complete(table, {})), [column]: null }
        const isRequired = new RegExp(`^ *${column} \\S+!`, 'm').test(tables[table])
        if (isRequired) await db.refuses(insertInto(table, row), '23502', column)
        else expect(await db.query(insertInto(table, row))).toHaveLength(1)
      },
    )

    test.each(openLists)('%s.%s stays open', async (table, column) => {
      await add(table, { [column]: 'something new' })
      expect(await value(`select count(*) from ${table} where ${column} = 'something new'`)).toBe('1')
    })

    test.each(ranges)('%s.%s keeps within its range', async (table, column, inside, outside) => {
      for (const each of inside) await add(table, { [column]: each })
      await add(table, { [column]: null })
      const row = await complete(table, {})
      for (const each of outside)
        await db.refuses(insertInto(table, { ...row, [column]: each }), '23514', `${table}_${column}_check`)
    })
  })

  describe('keys', () => {
    test('an id is generated when none is given', async () => {
      for (const table of tableNames)
        expect(await add(table)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        )
    })

    test('a customer has one profile, and one opt-out a channel', async () => {
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id })
      await add('opt_outs', { customer_id, channel: 'email' })
      await add('opt_outs', { customer_id, channel: 'sms' })
      await db.refuses(
        insertInto('customer_profiles', { customer_id }),
        '23505',
        'customer_profiles_customer_id_key',
      )
      await db.refuses(
        insertInto('opt_outs', { customer_id, channel: 'sms' }),
        '23505',
        'opt_outs_customer_id_channel_key',
      )
    })

    test('a softly deleted customer keeps its e-mail', async () => {
      const row = await complete('customers', { email: 'taken@example.com' })
      await add('customers', { ...row, deleted_at: today() })
      await db.refuses(insertInto('customers', row), '23505', 'customers_email_key')
    })

    test('deleting an invoice leaves its campaigns and tasks', async () => {
      const payment_record_id = await add('payment_records')
      const campaign = await add('campaigns', { payment_record_id })
      const task = await add('tasks', { payment_record_id })
      await db.query('delete from payment_records where id = $1', [payment_record_id])
      expect(await value('select payment_record_id from campaigns where id = $1', [campaign])).toBeNull()
      expect(await value('select payment_record_id from tasks where id = $1', [task])).toBeNull()
    })

    test('deleting a campaign takes its tasks and their attempts, and leaves other attempts', async () => {
      const campaign_id = await add('campaigns')
      const task_id = await add('tasks', { campaign_id })
      await add('contact_attempts', { task_id, campaign_id })
      const other = await add('contact_attempts', { campaign_id })
      await db.query('delete from campaigns where id = $1', [campaign_id])
      expect(await list('select id from tasks where id = $1', [task_id])).toEqual([])
      expect(await db.query('select id, campaign_id from contact_attempts')).toEqual([
        { id: other, campaign_id: null },
      ])
    })

    test('deleting an agent leaves its tasks and takes its attempts', async () => {
      const agent_id = await add('agents')
      const task_id = await add('tasks', { assigned_agent_id: agent_id })
      await add('contact_attempts', { task_id, agent_id })
      await db.query('delete from agents where id = $1', [agent_id])
      expect(await value('select assigned_agent_id from tasks where id = $1', [task_id])).toBeNull()
      expect(await list('select id from contact_attempts')).toEqual([])
    })

    test('deleting a customer takes everything but the audit trail', async () => {
      const customer_id = await add('customers')
      const entry = await add('audit_logs', { entity_type: 'customer', entity_id: customer_id })
      for (const table of ['customer_profiles', 'payment_records', 'contact_attempts', 'opt_outs'] as const)
        await add(table, { customer_id })
      await add('tasks', { customer_id, campaign_id: await add('campaigns', { customer_id }) })
      await db.query('delete from customers where id = $1', [customer_id])
      for (const table of tableNames.filter((table) => tables[table].includes('customer_id')))
        expect(await list(`select id from ${table}`)).toEqual([])
      expect(await list('select id from audit_logs')).toEqual([entry])
    })
  })

  describe('times', () => {
    test.each(farZones)('are stored in UTC by a session in %s', async (zone) => {
      await inZone(zone)
      for (const table of tableNames) {
        const row = await complete(table, {})
        const filled = linesOf(tables[table]).flatMap((line) =>
          line.endsWith('= utc') ? [line.split(' ')[0]] : [],
        )
        const isUtc = filled.map((name) => `"${String(name)}" = now() at time zone 'UTC'`).join(' and ')
        expect(await value(insertInto(table, row).replace(/id$/, isUtc))).toBe('t')
      }
    })

    test.each(withUpdatedAt)('updated_at of %s follows an update, in UTC', async (table) => {
      await inZone('Asia/Tokyo')
      const id = await add(table, { created_at: '2001-02-03 04:05', updated_at: '2001-02-03 04:05' })
      const [row] = await db.query(
        `update ${table} set id = id where id = '${id}'
         returning updated_at = now() at time zone 'UTC' as moved, created_at`,
      )
      expect(row).toEqual({ moved: 't', created_at: '2001-02-03 04:05:00' })
    })

    test('updated_at cannot be set by an update', async () => {
      const id = await add('customers')
      const isNow = "updated_at = now() at time zone 'UTC'"
      expect(
        await value(`update customers set updated_at = '2001-02-03' where id = '${id}' returning ${isNow}`),
      ).toBe('t')
    })
  })

  describe('the audit trail', () => {
    test('takes entries and refuses every change of them', async () => {
      const id = await add('audit_logs', { action: 'created' })
      const refusal = 'append-only'
      await db.refuses(`update audit_logs set action = 'deleted' where id = '${id}'`, '23001', refusal)
      await db.refuses(`delete from audit_logs where id = '${id}'`, '23001', refusal)
      await db.refuses('truncate audit_logs', '23001', refusal)
      expect(await db.query('select id, action from audit_logs')).toEqual([{ id, action: 'created' }])
    })

    test('can be loaded twice', async () => {
      const id = await add('audit_logs', { action: 'created' })
      await db.query(
        `insert into audit_logs (id, entity_type, entity_id, action)
         values ($1, 'customer', $2, 'created')
         on conflict (id) do update set action = excluded.action
         where audit_logs.action is distinct from excluded.action`,
        [id, nobody],
      )
      await db.query("update audit_logs set action = 'none matches' where false")
      expect(await list('select action from audit_logs')).toEqual(['created'])
    })
  })

  describe('log_audit_event', () => {
    test('adds an entry from six arguments and returns its id', async () => {
      await inZone('Asia/Tokyo')
      const id = await text(
        `select log_audit_event('campaign', '${nobody}', 'status_changed', 'system', 'campaign_manager',
           '{"before": "draft", "after": "active"}'::jsonb)`,
      )
      expect(
        await db.query(
          `select id, entity_type, entity_id, action, actor_type, actor_id, changes->>'after' as after,
             metadata, ip_address, user_agent, timestamp = now() at time zone 'UTC' as is_utc
           from audit_logs`,
        ),
      ).toEqual([
        {
          id,
          entity_type: 'campaign',
          entity_id: nobody,
          action: 'status_changed',
          actor_type: 'system',
          actor_id: 'campaign_manager',
          after: 'active',
          metadata: null,
          ip_address: null,
          user_agent: null,
          is_utc: 't',
        },
      ])
    })

    test('is made by the system unless told, and takes the rest of the columns', async () => {
      await value(`select log_audit_event('task', '${nobody}', 'created')`)
      await value(
        `select log_audit_event('task', '${nobody}', 'updated', 'user', 'ann', '{}', '{"reason": "typo"}',
           '192.0.2.1', 'curl')`,
      )
      expect(
        await db.query(
          `select action, actor_type, actor_id, metadata->>'reason' as reason, ip_address, user_agent
           from audit_logs order by action`,
        ),
      ).toEqual([
        {
          action: 'created',
          actor_type: 'system',
          actor_id: null,
          reason: null,
          ip_address: null,
          user_agent: null,
        },
        {
          action: 'updated',
          actor_type: 'user',
          actor_id: 'ann',
          reason: 'typo',
          ip_address: '192.0.2.1',
          user_agent: 'curl',
        },
      ])
    })

    test('refuses an unknown kind of actor', async () => {
      await db.refuses(
        `select log_audit_event('task', '${nobody}', 'created', 'robot')`,
        '23514',
        'audit_logs_actor_type_check',
      )
    })
  })

  describe('check_opt_out_status', () => {
    const channels = ['email', 'phone', 'sms']
    /** The channels on which the customer must not be contacted. */
    const closed = async (customer: string) => {
      const closed: string[] = []
      for (const channel of channels)
        if ((await value('select check_opt_out_status($1::uuid, $2)', [customer, channel])) === 't')
          closed.push(channel)
      return closed
    }

    test('is FALSE, never NULL, without an opt-out, without a customer and without arguments', async () => {
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id, do_not_contact: null })
      const sql = 'select check_opt_out_status'
      expect(await value(`${sql}($1::uuid, 'email')`, [customer_id])).toBe('f')
      expect(await value(`${sql}($1::uuid, 'email')`, [nobody])).toBe('f')
      expect(await value(`${sql}(null, 'email')`)).toBe('f')
      expect(await value(`${sql}($1::uuid, null)`, [customer_id])).toBe('f')
    })

    test('closes one channel of one customer', async () => {
      const customer_id = await add('customers')
      await add('opt_outs', { customer_id, channel: 'sms' })
      expect(await closed(customer_id)).toEqual(['sms'])
      expect(await closed(await add('customers'))).toEqual([])
    })

    test('closes every channel for all, and for do_not_contact', async () => {
      const away = await add('customers')
      await add('opt_outs', { customer_id: away, channel: 'all' })
      expect(await closed(away)).toEqual(channels)
      const shy = await add('customers')
      await add('customer_profiles', { customer_id: shy, do_not_contact: 'true' })
      expect(await closed(shy)).toEqual(channels)
    })

    test('takes contact_restrictions as advice only', async () => {
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id, contact_restrictions: '{email,phone,sms}' })
      expect(await closed(customer_id)).toEqual([])
    })

    test.each(['UTC', ...farZones])(
      'ends a temporary opt-out at its time in UTC, seen from %s',
      async (zone) => {
        await inZone(zone)
        const customer_id = await add('customers')
        await add('opt_outs', { customer_id, channel: 'email', expires_at: hoursFromNow(1) })
        await add('opt_outs', { customer_id, channel: 'phone', expires_at: hoursFromNow(-1) })
        await add('opt_outs', { customer_id, channel: 'sms', expires_at: hoursFromNow(0) })
        expect(await closed(customer_id)).toEqual(['email'])
      },
    )
  })

  describe('calculate_customer_risk_score', () => {
    const score = (customer: string) => value('select calculate_customer_risk_score($1::uuid)', [customer])
    const invoice = (customer_id: string, amount: string, due: number, rest: Row = {}) =>
      add('payment_records', { customer_id, amount, due_date: today(due), ...rest })

    async function workedExample(): Promise<string> {
      const customer_id = await add('customers')
      await invoice(customer_id, '1000', -60, { status: 'overdue' })
      await invoice(customer_id, '500', -10, { status: 'partial' })
      await invoice(customer_id, '250', 5)
      for (const status of ['answered', 'replied', 'sent', 'bounced', 'opened'])
        await add('contact_attempts', { customer_id, status })
      return customer_id
    }

    test.each(['UTC', ...farZones])('gives 66.52 for the worked example in %s', async (zone) => {
      await inZone(zone)
      expect(await score(await workedExample())).toBe('66.52')
    })

    test('is NULL for an unknown customer and 0 for one of whom nothing is known', async () => {
      expect(await score(nobody)).toBeNull()
      expect(await score(await add('customers'))).toBe('0.00')
    })

    test('counts invoices and attempts of the customer only, and no cancelled invoice', async () => {
      const customer_id = await workedExample()
      await invoice(customer_id, '9000', -90, { status: 'cancelled' })
      await invoice(await add('customers'), '9000', -90)
      await add('contact_attempts', { status: 'answered' })
      expect(await score(customer_id)).toBe('66.52')
    })

    test('takes delay and response rate of the profile where no row shows them', async () => {
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id, average_payment_delay: '45', response_rate: '0.25' })
      expect(await score(customer_id)).toBe('30.00')
      await invoice(customer_id, '100', -30, { status: 'paid', paid_date: today(-12) })
      expect(await score(customer_id)).toBe('21.00')
      await add('contact_attempts', { customer_id, status: 'answered' })
      expect(await score(customer_id)).toBe('6.00')
    })

    test('takes an early payment for a delay of 0, and one of unknown date for none', async () => {
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id, average_payment_delay: '90' })
      await invoice(customer_id, '100', -30, { status: 'paid' })
      expect(await score(customer_id)).toBe('30.00')
      await invoice(customer_id, '100', -30, { status: 'paid', paid_date: today(-50) })
      expect(await score(customer_id)).toBe('0.00')
    })

    test('stays within 0 and 100 for delays of years and for credit notes', async () => {
      const late = await add('customers')
      await invoice(late, '100', -900)
      await invoice(late, '-60', 5)
      await add('contact_attempts', { customer_id: late })
      expect(await score(late)).toBe('100.00')
      const owed = await add('customers')
      await invoice(owed, '100', -9)
      await invoice(owed, '-500', 5)
      expect(await score(owed)).toBe('3.00')
      const even = await add('customers')
      await invoice(even, '100', 5)
      await invoice(even, '-100', 5)
      expect(await score(even)).toBe('0.00')
    })

    test('is computed anew each time and writes nothing', async () => {
      const customer_id = await workedExample()
      await add('customer_profiles', { customer_id, risk_score: '1' })
      expect(await score(customer_id)).toBe('66.52')
      expect(await value('select risk_score from customer_profiles')).toBe('1.00')
      expect(
        await list(
          "select provolatile from pg_proc where proname in ('calculate_customer_risk_score', 'check_opt_out_status')",
        ),
      ).toEqual(['s', 's'])
    })
  })

  test('functions find their tables whatever the search_path of the session', async () => {
    const schema = await text('select current_schema()')
    const customer_id = await add('customers')
    await add('opt_outs', { customer_id })
    await db.query("set local search_path = ''")
    expect(
      await db.query(
        `select "${schema}".check_opt_out_status($1::uuid, 'email') as opted_out,
           "${schema}".calculate_customer_risk_score($1::uuid) as score,
           "${schema}".log_audit_event('customer', $1::uuid, 'checked') is not null as logged`,
        [customer_id],
      ),
    ).toEqual([{ opted_out: 't', score: '0.00', logged: 't' }])
  })

  describe('v_active_campaigns', () => {
    test('lists active and paused campaigns of customers that are not deleted', async () => {
      for (const status of ['draft', 'active', 'paused', 'completed', 'cancelled'])
        await add('campaigns', { name: status, status })
      const customer_id = await add('customers', { deleted_at: today() })
      await add('campaigns', { customer_id, name: 'deleted', status: 'active' })
      expect(await list('select campaign_name from v_active_campaigns order by 1')).toEqual([
        'active',
        'paused',
      ])
    })

    test('shows customer, invoice and steps, and does without an invoice', async () => {
      const customer_id = await add('customers', { company_name: 'Acme', preferred_contact_method: 'sms' })
      const payment_record_id = await add('payment_records', {
        customer_id,
        invoice_number: 'I-1',
        amount: '12.5',
      })
      const steps = '[{"channel": "email"}, {"channel": "phone"}]'
      const campaign = { customer_id, status: 'active', escalation_steps: steps, current_step: '1' }
      await add('campaigns', { ...campaign, payment_record_id })
      await add('campaigns', { ...campaign, escalation_steps: '{"not": "an array"}' })
      expect(
        await db.query(
          `select company_name, preferred_contact_method, invoice_number, amount, currency, current_step, total_steps
           from v_active_campaigns order by invoice_number`,
        ),
      ).toEqual([
        {
          company_name: 'Acme',
          preferred_contact_method: 'sms',
          invoice_number: 'I-1',
          amount: '12.50',
          currency: 'USD',
          current_step: '1',
          total_steps: '2',
        },
        {
          company_name: 'Acme',
          preferred_contact_method: 'sms',
          invoice_number: null,
          amount: null,
          currency: null,
          current_step: '1',
          total_steps: null,
        },
      ])
    })
  })

  describe('v_pending_tasks', () => {
    test('lists pending and assigned tasks of customers that are not deleted, most urgent first', async () => {
      const task = (name: string, priority: string, due_at: Value, status = 'pending') =>
        add('tasks', { priority, due_at, status, context: `{"name": "${name}"}` })
      await task('low', 'low', today(-9))
      await task('medium', 'medium', today())
      await task('urgent without date', 'urgent', null)
      await task('urgent later', 'urgent', today(1), 'assigned')
      await task('urgent sooner', 'urgent', today())
      await task('high', 'high', today(-5))
      for (const status of ['in_progress', 'completed', 'failed', 'cancelled'])
        await task(status, 'urgent', today(), status)
      await add('tasks', { customer_id: await add('customers', { deleted_at: today() }) })
      expect(await list("select context->>'name' from v_pending_tasks")).toEqual([
        'urgent sooner',
        'urgent later',
        'urgent without date',
        'high',
        'medium',
        'low',
      ])
    })

    test('shows campaign, invoice and agent, and does without them', async () => {
      const campaign_id = await add('campaigns', { name: 'C', status: 'active' })
      const payment_record_id = await add('payment_records', { invoice_number: 'I-1', amount: '12.5' })
      const assigned_agent_id = await add('agents', { type: 'phone', status: 'busy' })
      await add('tasks', { priority: 'high', campaign_id, payment_record_id, assigned_agent_id })
      await add('tasks', { priority: 'low' })
      expect(
        await db.query(
          'select campaign_name, campaign_status, invoice_number, amount, agent_type, agent_status from v_pending_tasks',
        ),
      ).toEqual([
        {
          campaign_name: 'C',
          campaign_status: 'active',
          invoice_number: 'I-1',
          amount: '12.50',
          agent_type: 'phone',
          agent_status: 'busy',
        },
        {
          campaign_name: null,
          campaign_status: null,
          invoice_number: null,
          amount: null,
          agent_type: null,
          agent_status: null,
        },
      ])
    })
  })

  /** A campaign and an agent with 2 completed, 1 failed and 1 pending task and 5 attempts, 2 of them responses. */
  async function worked() {
    const customer_id = await add('customers', { deleted_at: today() })
    const payment_record_id = await add('payment_records', { customer_id, amount: '750', status: 'paid' })
    const campaign_id = await add('campaigns', {
      customer_id,
      payment_record_id,
      name: 'worked',
      status: 'completed',
    })
    const agent_id = await add('agents', { type: 'phone' })
    const task = { customer_id, campaign_id, assigned_agent_id: agent_id }
    const time = (minutes: number) => `2025-03-01 10:${String(minutes).padStart(2, '0')}`
    const task_id = await add('tasks', {
      ...task,
      status: 'completed',
      started_at: time(0),
      completed_at: time(1),
    })
    await add('tasks', { ...task, status: 'completed', started_at: time(0), completed_at: time(4) })
    await add('tasks', { ...task, status: 'failed', started_at: time(0), completed_at: time(59) })
    await add('tasks', task)
    for (const status of ['answered', 'replied', 'opened', 'delivered', 'failed'])
      await add('contact_attempts', { task_id, agent_id, customer_id, campaign_id, status })
    return { agent_id, campaign_id }
  }

  test('v_agent_performance counts tasks and attempts of every agent once', async () => {
    const { agent_id } = await worked()
    const idle = await add('agents', { type: 'research', current_task_count: '0' })
    const columns =
      'total_tasks, completed_tasks, failed_tasks, success_rate, avg_completion_seconds, total_contact_attempts, successful_contacts'
    expect(
      await db.query(`select agent_id, agent_type, ${columns} from v_agent_performance order by agent_type`),
    ).toEqual([
      {
        agent_id,
        agent_type: 'phone',
        total_tasks: '4',
        completed_tasks: '2',
        failed_tasks: '1',
        success_rate: '0.6667',
        avg_completion_seconds: '150.00',
        total_contact_attempts: '5',
        successful_contacts: '2',
      },
      {
        agent_id: idle,
        agent_type: 'research',
        total_tasks: '0',
        completed_tasks: '0',
        failed_tasks: '0',
        success_rate: null,
        avg_completion_seconds: null,
        total_contact_attempts: '0',
        successful_contacts: '0',
      },
    ])
  })

  test('v_agent_performance says what it said before it was made faster', async () => {
    const customer = await add('customers')
    await db.query(`
      insert into agents (type, status, capabilities) select 'email', 'idle', '{}' from generate_series(1, 30);
      create temp table chosen on commit drop as select row_number() over (order by id) as n, id from agents;
      insert into tasks (type, priority, status, context, customer_id, assigned_agent_id, started_at, completed_at)
        select 'send_email', 'low',
          (array['pending', 'assigned', 'in_progress', 'completed', 'completed', 'failed', 'cancelled'])[1 + n % 7], '{}', '${customer}',
          (select id from chosen c where c.n = tasks.n % 28),
          case when n % 5 > 0 then timestamp '2026-03-01' + n * interval '1.234567 s' end,
          case when n % 11 > 0 then timestamp '2026-03-02' - n * interval '2.345678 s' end
        from generate_series(1, 2000) as tasks (n);
      insert into contact_attempts (task_id, agent_id, customer_id, channel, status)
        select (select id from tasks limit 1), (select id from chosen c where c.n = 1 + attempts.n % 17), '${customer}', 'email',
          (array['sent', 'delivered', 'opened', 'answered', 'replied', 'bounced', 'failed'])[1 + n % 7]
        from generate_series(1, 1000) as attempts (n);
      create temp view earlier as ${earlierView('escalation', '0007_agent_dashboard', 'v_agent_performance')}`)
    expect(
      await db.query(
        'select sum(total_tasks) > 1900 as worked, bool_or(total_tasks = 0) as idle from earlier',
      ),
    ).toEqual([{ worked: 't', idle: 't' }])
    expect(
      await db.query(
        `(table earlier except all table v_agent_performance) union all (table v_agent_performance except all table earlier)`,
      ),
    ).toEqual([])
  })

  test('v_campaign_effectiveness counts tasks and attempts of every campaign once', async () => {
    const { campaign_id } = await worked()
    const unpaid = await add('payment_records', { amount: '80', status: 'partial' })
    await add('campaigns', { name: 'unpaid', status: 'active', payment_record_id: unpaid })
    await add('campaigns', { name: 'without invoice' })
    const columns =
      'total_tasks, completed_tasks, failed_tasks, total_contact_attempts, responses, response_rate, payment_status, payment_amount, amount_recovered'
    const nothing = {
      total_tasks: '0',
      completed_tasks: '0',
      failed_tasks: '0',
      total_contact_attempts: '0',
      responses: '0',
      response_rate: null,
    }
    expect(
      await db.query(
        `select campaign_name, status, ${columns} from v_campaign_effectiveness order by campaign_name`,
      ),
    ).toEqual([
      {
        campaign_name: 'unpaid',
        status: 'active',
        ...nothing,
        payment_status: 'partial',
        payment_amount: '80.00',
        amount_recovered: '0.00',
      },
      {
        campaign_name: 'without invoice',
        status: 'draft',
        ...nothing,
        payment_status: null,
        payment_amount: null,
        amount_recovered: '0.00',
      },
      {
        campaign_name: 'worked',
        status: 'completed',
        total_tasks: '4',
        completed_tasks: '2',
        failed_tasks: '1',
        total_contact_attempts: '5',
        responses: '2',
        response_rate: '0.4000',
        payment_status: 'paid',
        payment_amount: '750.00',
        amount_recovered: '750.00',
      },
    ])
    expect(
      await list("select campaign_id from v_campaign_effectiveness where campaign_name = 'worked'"),
    ).toEqual([campaign_id])
  })

  test('v_customer_communications lists every attempt once, also of deleted customers', async () => {
    await worked()
    const customer_id = await add('customers', { company_name: 'Acme' })
    await add('contact_attempts', {
      customer_id,
      timestamp: '2025-03-01 10:00',
      duration: '7',
      response: 'yes',
    })
    expect(await value('select count(*) from v_customer_communications')).toBe('6')
    expect(
      await db.query(
        `select company_name, contacted_at, duration, response, task_type, campaign_name, agent_type
         from v_customer_communications where customer_id = $1`,
        [customer_id],
      ),
    ).toEqual([
      {
        company_name: 'Acme',
        contacted_at: '2025-03-01 10:00:00',
        duration: '7',
        response: 'yes',
        task_type: 'send_email',
        campaign_name: null,
        agent_type: 'email',
      },
    ])
  })

  describe('v_overdue_payments', () => {
    test.each(['UTC', ...farZones])('counts days in UTC, seen from %s', async (zone) => {
      await inZone(zone)
      for (const days of [-1, 0, 1])
        await add('payment_records', { invoice_number: String(days), due_date: today(days) })
      expect(await db.query('select invoice_number, days_overdue from v_overdue_payments')).toEqual([
        { invoice_number: '-1', days_overdue: '1' },
      ])
    })

    test('lists what is unpaid past its date, whatever it is labelled', async () => {
      for (const status of ['pending', 'overdue', 'paid', 'partial', 'cancelled'])
        await add('payment_records', { invoice_number: status, status, due_date: today(-40) })
      await add('payment_records', { invoice_number: 'not yet', status: 'overdue', due_date: today(1) })
      const customer_id = await add('customers', { deleted_at: today() })
      await add('payment_records', { invoice_number: 'deleted', customer_id, due_date: today(-40) })
      expect(
        await db.query('select invoice_number, days_overdue from v_overdue_payments order by 1'),
      ).toEqual(
        ['overdue', 'partial', 'pending'].map((invoice_number) => ({ invoice_number, days_overdue: '40' })),
      )
    })

    test('shows the risk of the customer, and does without a profile', async () => {
      const customer_id = await add('customers')
      const profile = { customer_id, risk_level: 'high', risk_score: '61.5', do_not_contact: 'true' }
      await add('customer_profiles', profile)
      const overdue = { status: 'overdue', due_date: today(-1) }
      await add('payment_records', { customer_id, ...overdue, amount: '1' })
      await add('payment_records', { ...overdue, amount: '2' })
      expect(
        await db.query(
          'select amount, risk_level, risk_score, do_not_contact from v_overdue_payments order by amount',
        ),
      ).toEqual([
        { amount: '1.00', risk_level: 'high', risk_score: '61.50', do_not_contact: 't' },
        { amount: '2.00', risk_level: null, risk_score: null, do_not_contact: null },
      ])
    })

    test('lists an invoice once even if a customer had two profiles', async () => {
      await db.query('alter table customer_profiles drop constraint customer_profiles_customer_id_key')
      const customer_id = await add('customers')
      await add('customer_profiles', { customer_id, risk_level: 'low', updated_at: '2025-01-01' })
      await add('customer_profiles', { customer_id, risk_level: 'high', updated_at: '2025-02-01' })
      await add('payment_records', { customer_id, due_date: today(-1) })
      expect(await list('select risk_level from v_overdue_payments')).toEqual(['high'])
      expect(await value('select calculate_customer_risk_score($1::uuid)', [customer_id])).toBe('50.33')
    })
  })
})

describeSystem('escalation', { seed: ['reference', 'sample'] }, (db) => {
  const list = async (sql: string) => (await db.query(sql)).map((row) => Object.values(row)[0])

  test.each(viewNames)('the samples show something in %s', async (view) => {
    expect((await db.query(`select * from ${view}`)).length).toBeGreaterThan(0)
  })

  test.each(closedLists)('the samples use every value of %s.%s', async (table, column, values) => {
    const found = await list(`select distinct ${column} from ${table} where ${column} is not null`)
    expect(found.sort()).toEqual([...values].sort())
  })

  test.each(tableNames)(
    'the samples have every optional column of %s with a value and without',
    async (table) => {
      const optional = linesOf(tables[table]).flatMap((line) =>
        line.includes('!') ? [] : [String(line.split(' ')[0])],
      )
      for (const column of optional)
        expect([
          column,
          ...(await list(`select distinct ${column} is null from ${table} order by 1`)),
        ]).toEqual([column, 'f', 't'])
    },
  )

  test('the queries of the documentation run on them', async () => {
    expect(await list("select config->>'smtpHost' from agents where type = 'email' order by 1")).toEqual([
      'smtp-standby.example.org',
      'smtp.example.com',
    ])
    expect(
      await list(
        "select type from agents where (performance_metrics->>'tasksCompleted')::integer > 100 order by 1",
      ),
    ).toEqual(['email', 'phone'])
  })

  test('an overdue invoice is being escalated by an active campaign with tasks and attempts', async () => {
    expect(
      await db.query(
        `select o.invoice_number, c.status, e.total_tasks, e.total_contact_attempts, e.response_rate
         from v_overdue_payments o
         join v_active_campaigns c using (payment_record_id)
         join v_campaign_effectiveness e using (campaign_id)
         where e.responses > 0`,
      ),
    ).toEqual([
      {
        invoice_number: 'INV-1001',
        status: 'active',
        total_tasks: '3',
        total_contact_attempts: '2',
        response_rate: '0.5000',
      },
    ])
  })

  test('stored risk scores and levels are those of the function', async () => {
    const found = await db.query(
      `select risk_score, calculate_customer_risk_score(customer_id) as score, risk_level,
         case when risk_score < 25 then 'low' when risk_score < 50 then 'medium'
           when risk_score < 75 then 'high' else 'critical' end as level
       from customer_profiles where risk_score is not null`,
    )
    expect(found.length).toBeGreaterThan(3)
    for (const row of found) {
      expect(row.risk_score).toBe(row.score)
      expect(row.risk_level).toBe(row.level)
    }
  })

  test('a deleted customer is in the history and in no work list', async () => {
    const of = (view: string) =>
      list(`select count(*) from ${view} where company_name = 'Quarry Lane Studios'`)
    for (const view of ['v_active_campaigns', 'v_pending_tasks', 'v_overdue_payments'])
      expect(await of(view)).toEqual(['0'])
    for (const view of ['v_customer_communications', 'v_campaign_effectiveness'])
      expect(await of(view)).toEqual(['1'])
    // Without the deletion it would be in all three.
    await db.query("update customers set deleted_at = null where company_name = 'Quarry Lane Studios'")
    for (const view of ['v_active_campaigns', 'v_pending_tasks', 'v_overdue_payments'])
      expect(await of(view)).toEqual(['1'])
  })

  test('campaigns and tasks name templates that exist', async () => {
    const unknown = await list(
      `select used.template from (
         select step->>'template' as template from campaigns, jsonb_array_elements(escalation_steps) step
         union select context->>'template' from tasks
       ) used
       where used.template is not null and not exists (select from templates t where t.name = used.template)`,
    )
    expect(unknown).toEqual([])
  })

  test('loading the audit trail again changes nothing', async () => {
    const file = new URL('../../seeds/escalation/sample/audit_logs.sql', import.meta.url)
    const all = () => db.query('select * from audit_logs order by id')
    const before = await all()
    expect(before.length).toBeGreaterThan(0)
    await db.query(readFileSync(file, 'utf8'))
    expect(await all()).toEqual(before)
  })
})
