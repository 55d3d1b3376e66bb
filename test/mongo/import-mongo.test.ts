import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { BSON, EJSON } from 'bson'
import type { ImportFinding } from 'dbkit'
import { MONGO_NAMESPACE } from '../../src/mongo/uuid5.js'
import { canonical, lines, oid, valid, type Doc } from './documents.js'
import { describeImports, root, type Files, type ImportBench } from './import-harness.js'

const sample = (name: string): string => readFileSync(join(root, 'fixtures/mongo', name), 'utf8')

const samples: Files = {
  'agents.json': sample('agents.json'),
  'customers.json': sample('customers.json'),
  'deliveries.json': sample('deliveries.json'),
}

/** A document of every collection, which all refer to one another. */
const everything: Readonly<Record<string, readonly Doc[]>> = {
  agents: [
    valid.agent(1, {
      role: 'admin',
      current_location: { type: 'Point', coordinates: [-73.9857, 40.7484] },
      push_subscription: { endpoint: 'https://push.example.com/1', keys: { auth: 'a', p256dh: 'b' } },
      last_login: { $date: '2025-02-28T07:45:00Z' },
      performance_metrics: {
        total_deliveries: 245,
        successful_deliveries: 238,
        average_rating: 4.7,
        response_time: 12,
      },
    }),
  ],
  customers: [
    valid.customer(2, {
      preferences: {
        preferred_times: ['09:00-12:00', 'a "quoted", {odd} \\ one'],
        preferred_days: [],
        language: 'de',
      },
      call_history: [
        {
          _id: { $oid: oid(90) },
          call_id: { $oid: oid(4) },
          timestamp: { $date: '2025-02-02T10:00:00Z' },
          status: 'completed',
          duration: 45,
        },
        { status: 'busy' },
      ],
      customer_rating: 4.5,
    }),
  ],
  deliveries: [
    valid.delivery(3, 2, {
      agent_id: { $oid: oid(1) },
      call_log_id: { $oid: oid(4) },
      recording_id: { $oid: oid(5) },
      package_details: {
        weight: 2.5,
        dimensions: { length: 30, width: 20, height: 10 },
        value: 150,
        fragile: true,
      },
      tracking_events: [
        { status: 'assigned', timestamp: { $date: '2025-02-02T09:00:00Z' }, notes: 'tab\there\nand there' },
        { status: 'completed', timestamp: { $date: '2025-02-02T10:00:00Z' }, location: [-74, 40.7] },
      ],
      customer_feedback: { rating: 5, comments: 'Ünïcode 🚚' },
    }),
  ],
  calllogs: [
    valid.call(4, 3, {
      ai_analysis: { sentiment: 'positive', keywords: ['door', 'bell'], confidence_score: 0.93 },
      webhook_events: [
        { event: 'answered', timestamp: { $date: '2025-02-02T10:00:00Z' }, data: { CallSid: 'CA1', n: 3 } },
      ],
    }),
  ],
  recordings: [
    valid.recording(5, 4, 3, {
      file_size: 410400,
      transcription: { text: 'Hello', confidence: 0.9 },
      ai_analysis: { entities: [{ type: 'person', value: 'John', confidence: 0.8 }], summary: 'Short.' },
    }),
  ],
  apikeys: [
    valid.apiKey(6, { permissions: ['deliveries:read'], created_by: { $oid: oid(1) }, usage_count: 7 }),
  ],
  systemmetrics: [valid.metric(7, { tags: { host: 'a' }, unit: 'ms' })],
}

function filesOf(
  documents: typeof everything,
  write: (...all: readonly Doc[]) => string | Buffer,
  ending: string,
): Files {
  return Object.fromEntries(
    Object.entries(documents).map(([name, all]) => [`${name}.${ending}`, write(...all)]),
  )
}

const toBson = (...documents: readonly Doc[]): Buffer =>
  Buffer.concat(documents.map((document) => BSON.serialize(deserialize(document))))

const deserialize = (document: Doc): Doc => EJSON.deserialize(document, { relaxed: false }) as Doc

const TABLES = [
  ...['agents', 'customers', 'customer_call_history', 'deliveries', 'delivery_tracking_events', 'call_logs'],
  ...['call_log_webhook_events', 'recordings', 'recording_entities', 'api_keys', 'system_metrics'],
]

/** Which transaction wrote each row: unchanged as long as nothing touches it. */
async function writers(bench: ImportBench): Promise<readonly unknown[]> {
  return bench.rows(
    TABLES.map((table) => `select '${table}', t.xmin::text, t.ctid::text from ${table} t`).join(
      ' union all ',
    ) + ' order by 1, 3',
  )
}

/** Everything that is in the tables, so that two imports can be compared. */
async function contents(bench: ImportBench): Promise<readonly unknown[]> {
  return bench.rows(
    TABLES.map((table) => `select '${table}', pg_catalog.to_jsonb(t)::text from ${table} t`).join(
      ' union all ',
    ) + ' order by 1, 2',
  )
}

const short = (findings: readonly ImportFinding[]): readonly string[] =>
  findings.map(({ severity, code, file, line, document, id, path }) =>
    [severity === 'error' ? code : `(${code})`, `${file}:${String(line ?? `#${String(document)}`)}`, id, path]
      .filter(Boolean)
      .join(' '),
  )

const errorsOf = (findings: readonly ImportFinding[]): readonly string[] =>
  short(findings.filter(({ severity }) => severity === 'error'))

describeImports('an import', (bench) => {
  describe('of the documented samples', () => {
    test('is refused as long as references lead nowhere, and says which', async () => {
      const { report, error } = await bench.import(samples)
      expect(error?.code).toBe('import.bad-documents')
      expect(error?.message).toBe('2 documents of 3 cannot be imported.')
      expect(errorsOf(report.findings)).toEqual([
        'dangling-reference customers.json:1 64f1a2b3c4d5e6f7g8h9i0j2 call_history.0.call_id',
        'dangling-reference deliveries.json:1 64f1a2b3c4d5e6f7g8h9i0j1 call_log_id',
        'dangling-reference deliveries.json:1 64f1a2b3c4d5e6f7g8h9i0j1 recording_id',
      ])
      expect(report.tables).toEqual([])
      expect(await contents(bench)).toEqual([])
    })

    test('sets optional references to NULL when it may, says so, and takes plain keys with a warning', async () => {
      const { report, error } = await bench.import(samples, { allowDangling: true })
      expect(error).toBeUndefined()
      const warnings = short(report.findings)
      expect(warnings).toContain(
        '(dangling-reference) deliveries.json:1 64f1a2b3c4d5e6f7g8h9i0j1 call_log_id',
      )
      expect(warnings).toContain(
        '(dangling-reference) customers.json:1 64f1a2b3c4d5e6f7g8h9i0j2 call_history.0.call_id',
      )
      expect(warnings).toContain('(opaque-id) agents.json:1 64f1a2b3c4d5e6f7g8h9i0j3 _id')
      expect(warnings).toContain('(opaque-id) deliveries.json:1 64f1a2b3c4d5e6f7g8h9i0j1 customer_id')
      expect(report.tables).toEqual(
        [
          ['agents', 1],
          ['customers', 1],
          ['customer_call_history', 1],
          ['deliveries', 1],
          ['delivery_tracking_events', 3],
        ].map(([table, inserted]) => ({ table, inserted, updated: 0, unchanged: 0, removed: 0 })),
      )
      expect(
        await bench.rows(
          `select d.mongo_id, c.name, a.name, d.call_log_id, d.recording_id, d.longitude, d.latitude, d.priority_rank,
                  d.package_details_dimensions_width, d.created_at at time zone 'UTC', d.updated_at at time zone 'UTC'
             from deliveries d join customers c on c.id = d.customer_id join agents a on a.id = d.agent_id`,
        ),
      ).toEqual([
        [
          '64f1a2b3c4d5e6f7g8h9i0j1',
          ...['John Doe', 'Agent Smith', null, null, '-74.006', '40.7128', '2', '20'],
          ...['2025-10-25 10:00:00', '2025-10-26 14:15:00'],
        ],
      ])
      expect(
        await bench.rows(
          'select position, status, "timestamp" at time zone \'UTC\', location::text, notes from delivery_tracking_events order by 1',
        ),
      ).toEqual([
        ['0', 'assigned', '2025-10-26 13:00:00', null, 'Assigned to Agent Smith'],
        [
          '1',
          'in_transit',
          '2025-10-26 13:30:00',
          '{"type": "Point", "coordinates": [-74.006, 40.7128]}',
          null,
        ],
        ['2', 'completed', '2025-10-26 14:15:00', null, 'Delivered successfully'],
      ])
      expect(await bench.rows('select preferences_preferred_times, customer_rating from customers')).toEqual([
        ['{09:00-12:00,14:00-17:00}', '4.5'],
      ])
    })
  })

  describe('of documents that refer to one another in a circle', () => {
    test('fills every table, with the ids that anybody can compute', async () => {
      const { report, error } = await bench.import(filesOf(everything, lines, 'json'))
      expect(report.findings).toEqual([])
      expect(error).toBeUndefined()
      expect(report.tables.map(({ table, inserted }) => [table, inserted])).toEqual([
        ['agents', 1],
        ['customers', 1],
        ['customer_call_history', 2],
        ['deliveries', 1],
        ['delivery_tracking_events', 2],
        ['call_logs', 1],
        ['call_log_webhook_events', 1],
        ['recordings', 1],
        ['recording_entities', 1],
        ['api_keys', 1],
        ['system_metrics', 1],
      ])
      expect(
        await bench.rows(
          `select d.mongo_id, l.mongo_id, r.mongo_id, back.mongo_id, k.created_by = a.id
             from deliveries d join call_logs l on l.id = d.call_log_id join recordings r on r.id = d.recording_id
             join deliveries back on back.id = l.delivery_id join agents a on a.id = d.agent_id cross join api_keys k`,
        ),
      ).toEqual([[oid(3), oid(4), oid(5), oid(3), 't']])
      expect(await bench.rows('select id from call_logs')).toEqual([
        [uuid5(MONGO_NAMESPACE, `calllogs:${oid(4)}`)],
      ])
    })

    test('writes texts, arrays and JSON as they were', async () => {
      await bench.import(filesOf(everything, lines, 'json'))
      expect(
        await bench.rows(
          'select preferences_preferred_times[2], preferences_preferred_days, preferences_language from customers',
        ),
      ).toEqual([['a "quoted", {odd} \\ one', '{}', 'de']])
      expect(
        await bench.rows(
          'select notes, (select customer_feedback_comments from deliveries) from delivery_tracking_events where position = 0',
        ),
      ).toEqual([['tab\there\nand there', 'Ünïcode 🚚']])
      expect(await bench.rows('select data::text from call_log_webhook_events')).toEqual([
        ['{"n": 3, "CallSid": "CA1"}'],
      ])
      expect(
        await bench.rows(
          "select role, current_longitude, push_subscription -> 'keys' ->> 'auth' from agents",
        ),
      ).toEqual([['admin', '-73.9857', 'a']])
    })

    test('keeps created_at and updated_at as they were exported', async () => {
      await bench.import(filesOf(everything, lines, 'json'))
      expect(
        await bench.rows("select created_at at time zone 'UTC', updated_at at time zone 'UTC' from agents"),
      ).toEqual([['2025-02-01 08:00:00', '2025-03-01 08:00:00.25']])
    })
  })

  describe('repeated', () => {
    test('touches no row that is as it was', async () => {
      await bench.import(filesOf(everything, lines, 'json'))
      const before = await writers(bench)
      const { report, error } = await bench.import(filesOf(everything, lines, 'json'))
      expect(error).toBeUndefined()
      expect(report.tables.map(({ inserted, updated, removed }) => inserted + updated + removed)).toEqual(
        TABLES.map(() => 0),
      )
      expect(report.tables.reduce((sum, { unchanged }) => sum + unchanged, 0)).toBe(13)
      expect(await writers(bench)).toEqual(before)
    })

    test.each([
      ['canonical Extended JSON', canonical, 'json'],
      ['BSON', toBson, 'bson'],
      ['zipped BSON', (...all: readonly Doc[]) => gzipSync(toBson(...all)), 'bson.gz'],
      [
        'an array',
        (...all: readonly Doc[]) => `[${all.map((one) => JSON.stringify(one)).join(',\n')}]\n`,
        'json',
      ],
      ['an indented array', (...all: readonly Doc[]) => JSON.stringify(all, undefined, 2), 'json'],
      [
        'indented documents',
        (...all: readonly Doc[]) => all.map((one) => JSON.stringify(one, undefined, '\t')).join('\n'),
        'json',
      ],
      [
        'lines that end as on Windows, after a byte order mark',
        (...all: readonly Doc[]) => '\ufeff' + lines(...all).replaceAll('\n', '\r\n'),
        'json',
      ],
    ] as const)('finds the same in %s', async (_, write, ending) => {
      await bench.import(filesOf(everything, lines, 'json'))
      const before = await contents(bench)
      const { report, error } = await bench.import(filesOf(everything, write, ending))
      expect(report.findings).toEqual([])
      expect(error).toBeUndefined()
      expect(report.documents).toBe(7)
      expect(report.tables.map(({ inserted, updated, removed }) => inserted + updated + removed)).toEqual(
        TABLES.map(() => 0),
      )
      expect(await contents(bench)).toEqual(before)
    })

    test('updates the rows of changed documents only, with the updated_at that was exported', async () => {
      const two = [valid.agent(1), valid.agent(2)]
      await bench.import({ 'agents.json': lines(...two) })
      const [, untouched] = await bench.rows('select xmin::text, ctid::text from agents order by mongo_id')
      const changed = valid.agent(1, { name: 'Renamed', updatedAt: { $date: '2025-06-01T00:00:00Z' } })
      const { report } = await bench.import({ 'agents.json': lines(changed, valid.agent(2)) })
      expect(report.tables).toEqual([{ table: 'agents', inserted: 0, updated: 1, unchanged: 1, removed: 0 }])
      expect(
        await bench.rows(
          "select name, created_at at time zone 'UTC', updated_at at time zone 'UTC' from agents order by mongo_id",
        ),
      ).toEqual([
        ['Renamed', '2025-02-01 08:00:00', '2025-06-01 00:00:00'],
        ['Agent 2', '2025-02-01 08:00:00', '2025-03-01 08:00:00.25'],
      ])
      expect((await bench.rows('select xmin::text, ctid::text from agents order by mongo_id'))[1]).toEqual(
        untouched,
      )
    })

    test('leaves the triggers of the tables switched on', async () => {
      await bench.import({ 'agents.json': lines(valid.agent(1)) })
      await bench.import({ 'agents.json': lines(valid.agent(1, { name: 'Renamed' })) })
      expect(
        await bench.rows(
          "select distinct tgenabled from pg_trigger where not tgisinternal and tgname like 'update\\_%'",
        ),
      ).toEqual([['O']])
      await bench.script("update agents set name = 'By hand'")
      expect(await bench.rows("select updated_at > now() - interval '1 hour' from agents")).toEqual([['t']])
    })

    test('replaces what changed in an array, and nothing else of it', async () => {
      const events = (...notes: readonly string[]): Doc => ({
        tracking_events: notes.map((text) => ({ timestamp: { $date: '2025-02-02T09:00:00Z' }, notes: text })),
      })
      const write = (more: Doc): Files => ({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(valid.delivery(3, 2, more), valid.delivery(4, 2, events('of another'))),
      })
      await bench.import(write(events('a', 'b', 'c')))
      const first = await bench.rows(
        "select xmin::text from delivery_tracking_events where notes in ('a', 'of another') order by notes",
      )
      const longer = await bench.import(write(events('a', 'B', 'c', 'd')))
      expect(longer.report.tables.find(({ table }) => table === 'delivery_tracking_events')).toEqual({
        ...{ table: 'delivery_tracking_events', inserted: 1, updated: 1, unchanged: 3, removed: 0 },
      })
      const shorter = await bench.import(write(events('a')))
      expect(shorter.report.tables.find(({ table }) => table === 'delivery_tracking_events')).toEqual({
        ...{ table: 'delivery_tracking_events', inserted: 0, updated: 0, unchanged: 2, removed: 3 },
      })
      expect(await bench.rows('select position, notes from delivery_tracking_events order by notes')).toEqual(
        [
          ['0', 'a'],
          ['0', 'of another'],
        ],
      )
      expect(await bench.rows('select xmin::text from delivery_tracking_events order by notes')).toEqual(
        first,
      )
    })

    test('lets unique values move from one document to another', async () => {
      await bench.import({
        'agents.json': lines(valid.agent(1, { phone: '+1' }), valid.agent(2, { phone: '+2' })),
      })
      const { error } = await bench.import({
        'agents.json': lines(
          valid.agent(1, { phone: '+2' }),
          valid.agent(2, { phone: '+3' }),
          valid.agent(3, { phone: '+1' }),
        ),
      })
      expect(error).toBeUndefined()
      await bench.import({
        'agents.json': lines(valid.agent(1, { phone: '+3' }), valid.agent(2, { phone: '+2' })),
      })
      expect(await bench.rows('select name, phone from agents order by 1')).toEqual([
        ['Agent 1', '+3'],
        ['Agent 2', '+2'],
        ['Agent 3', '+1'],
      ])
    })

    test('keeps a time that no document tells', async () => {
      const [metric, agent] = [
        { ...valid.metric(7), _id: 'plain', timestamp: null },
        valid.agent(1, { createdAt: null }),
      ]
      const files = { 'systemmetrics.json': lines(metric), 'agents.json': lines(agent) }
      await bench.import(files)
      expect(
        await bench.rows('select "timestamp" > now() - interval \'1 hour\' from system_metrics'),
      ).toEqual([['t']])
      // An ObjectId knows when it was made.
      expect(await bench.rows("select created_at at time zone 'UTC' from agents")).toEqual([
        ['2025-01-01 00:00:01'],
      ])
      const before = await contents(bench)
      const { report } = await bench.import(files)
      expect(report.tables.map(({ unchanged }) => unchanged)).toEqual([1, 1])
      expect(await contents(bench)).toEqual(before)
    })

    test('recognises rows that were brought over before with ids of their own', async () => {
      await bench.script(
        `insert into agents (id, mongo_id, name, phone, email, password)
           values ('00000000-0000-4000-8000-000000000001', '${oid(1)}', 'Old', '+1', 'old@example.com', 'x');
         insert into customers (id, mongo_id, name, phone) values ('00000000-0000-4000-8000-000000000002', '${oid(2)}', 'Old', '+2')`,
      )
      const { report, error } = await bench.import({
        'agents.json': lines(valid.agent(1)),
        'deliveries.json': lines(
          valid.delivery(3, 2, { agent_id: { $oid: oid(1) }, tracking_events: [{ status: 'assigned' }] }),
        ),
      })
      expect(error).toBeUndefined()
      expect(report.tables.map(({ table, inserted, updated }) => [table, inserted, updated])).toEqual([
        ['agents', 0, 1],
        ['deliveries', 1, 0],
        ['delivery_tracking_events', 1, 0],
      ])
      expect(
        await bench.rows(
          'select d.agent_id, a.name, d.customer_id from deliveries d join agents a on a.id = d.agent_id',
        ),
      ).toEqual([['00000000-0000-4000-8000-000000000001', 'Agent 1', '00000000-0000-4000-8000-000000000002']])
    })
  })

  describe('of fields that are missing or null', () => {
    test.each([
      ['missing', {}],
      [
        'null',
        {
          status: null,
          priority: null,
          estimated_duration: null,
          retry_count: null,
          max_retries: null,
          package_details: null,
          agent_id: null,
          tracking_events: null,
          actual_delivery_time: null,
        },
      ],
      ['undefined', { status: { $undefined: true }, package_details: { fragile: { $undefined: true } } }],
    ])('applies the defaults of the model (%s)', async (_, more) => {
      const { error } = await bench.import({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(valid.delivery(3, 2, more)),
      })
      expect(error).toBeUndefined()
      expect(
        await bench.rows(
          `select status, priority, estimated_duration, retry_count, max_retries, package_details_fragile,
                  package_details_signature_required, package_details_weight, agent_id, actual_delivery_time from deliveries`,
        ),
      ).toEqual([['scheduled', 'normal', '30', '0', '3', 'f', 'f', null, null, null]])
      expect(
        await bench.rows(
          `select preferences_contact_method, preferences_language, preferences_timezone, preferences_preferred_days,
                  total_deliveries, customer_rating, email from customers`,
        ),
      ).toEqual([['call', 'en', 'America/New_York', '{}', '0', null, null]])
    })

    test('gives null in an enum that has no default back as NULL', async () => {
      const { error } = await bench.import({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(valid.delivery(3, 2)),
        'calllogs.json': lines(valid.call(4, 3, { ai_analysis: { sentiment: null }, direction: null })),
      })
      expect(error).toBeUndefined()
      expect(
        await bench.rows('select ai_analysis_sentiment, direction, ai_analysis_keywords from call_logs'),
      ).toEqual([[null, 'outbound', '{}']])
    })
  })

  describe('of numbers', () => {
    test.each([
      ['in a wrapper', '{"$numberLong":"9007199254740993"}'],
      ['bare, as relaxed Extended JSON has them', '9007199254740993'],
    ])('keeps 64-bit integers exact (%s)', async (_, long) => {
      const recording = JSON.stringify(valid.recording(5, 4, 3, { file_size: 0 })).replace(
        '"file_size":0',
        `"file_size":${long}`,
      )
      const metric = JSON.stringify(
        valid.metric(7, { tags: { n: 0, text: 'x: 9007199254740993,' } }),
      ).replace('"n":0', `"n":${long}`)
      const { error } = await bench.import({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(valid.delivery(3, 2)),
        'calllogs.json': lines(valid.call(4, 3)),
        'recordings.json': `${recording}\n`,
        'systemmetrics.json': `${metric}\n`,
      })
      expect(error).toBeUndefined()
      expect(await bench.rows('select file_size from recordings')).toEqual([['9007199254740993']])
      expect(await bench.rows("select tags ->> 'n', tags ->> 'text' from system_metrics")).toEqual([
        ['9007199254740993', 'x: 9007199254740993,'],
      ])
    })

    test('keeps them exact from BSON, up to the greatest', async () => {
      const greatest = valid.apiKey(6, { usage_count: { $numberLong: '9223372036854775807' } })
      await bench.import({ 'apikeys.bson': toBson(greatest) })
      expect(await bench.rows('select usage_count from api_keys')).toEqual([['9223372036854775807']])
    })

    test('keeps doubles and decimals to the last digit', async () => {
      const { error } = await bench.import({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(
          valid.delivery(3, 2, {
            estimated_duration: { $numberDouble: '0.1' },
            package_details: { weight: { $numberDecimal: '12345678901234567890.123456789012' }, value: 1e-7 },
          }),
        ),
        'systemmetrics.json': lines(valid.metric(7, { value: { $numberDouble: '1.7976931348623157E308' } })),
      })
      expect(error).toBeUndefined()
      expect(
        await bench.rows(
          'select estimated_duration, package_details_weight, package_details_value from deliveries',
        ),
      ).toEqual([['0.1', '12345678901234567890.123456789012', '0.0000001']])
      expect(await bench.rows('select value from system_metrics')).toEqual([['1.7976931348623157e+308']])
    })
  })

  // Many cases, one import: each stands on a line of its own, and is looked for there.
  describe('of locations', () => {
    test('reads every shape that means a point', async () => {
      const shapes = [
        { type: 'Point', coordinates: [-74.5, 40.5] },
        { type: 'Point', coordinates: [{ $numberDouble: '-74.5' }, { $numberDouble: '40.5' }] },
        { _id: { $oid: oid(9) }, type: 'Point', coordinates: [-74.5, 40.5] },
        [-74.5, 40.5],
        { lng: -74.5, lat: 40.5 },
        { lat: 40.5, lon: -74.5 },
        { longitude: -74.5, latitude: 40.5 },
      ]
      const agents = shapes.map((current_location, index) => valid.agent(index + 1, { current_location }))
      const { report } = await bench.import({ 'agents.json': lines(...agents) })
      expect(report.findings).toEqual([])
      expect(
        await bench.rows(
          'select current_longitude, current_latitude, st_astext(current_location), count(*) from agents group by 1, 2, 3',
        ),
      ).toEqual([['-74.5', '40.5', 'POINT(-74.5 40.5)', '7']])
    })

    test('refuses everything else', async () => {
      const line = {
        type: 'LineString',
        coordinates: [
          [-74, 40],
          [-75, 41],
        ],
      }
      const shapes: readonly (readonly [unknown, string])[] = [
        [[-74, 40, 3], 'bad-location'],
        [[-74], 'bad-location'],
        [[], 'bad-location'],
        [['-74', '40'], 'bad-location'],
        [line, 'bad-location'],
        [{ type: 'Point' }, 'bad-location'],
        [{ lat: 40 }, 'bad-location'],
        [{ lat: 40, lng: -74, accuracy: 5 }, 'bad-location'],
        ['40,-74', 'bad-location'],
        [[200, 100], 'bounds'],
        [{ lat: 90.5, lng: 0 }, 'bounds'],
        [[{ $numberDouble: 'NaN' }, 0], 'bounds'],
        [null, 'missing'],
        [undefined, 'missing'],
      ]
      const { report } = await bench.import({
        'customers.json': lines(valid.customer(2)),
        'deliveries.json': lines(
          ...shapes.map(([coordinates], index) => valid.delivery(index + 10, 2, { coordinates })),
        ),
      })
      expect(errorsOf(report.findings)).toEqual(
        shapes.map(
          ([, code], index) => `${code} deliveries.json:${String(index + 1)} ${oid(index + 10)} coordinates`,
        ),
      )
    })
  })

  describe('of dates', () => {
    test('reads each notation of a moment', async () => {
      const dates: readonly (readonly [unknown, string])[] = [
        [{ $date: '2025-10-26T14:00:00Z' }, '2025-10-26 14:00:00+00'],
        [{ $date: { $numberLong: '-62135596800000' } }, '0001-01-01 00:00:00+00'],
        [{ $date: { $numberLong: '-62135596800001' } }, '0001-12-31 23:59:59.999+00 BC'],
        [{ $date: { $numberLong: '253402300800000' } }, '10000-01-01 00:00:00+00'],
        [{ $date: '0000-02-29T00:00:00Z' }, '0001-02-29 00:00:00+00 BC'],
        [{ $date: 1761487200000 }, '2025-10-26 14:00:00+00'],
        [{ $date: '2025-10-26T16:00:00.123+0200' }, '2025-10-26 14:00:00.123+00'],
        ['2025-10-26T14:00:00.000Z', '2025-10-26 14:00:00+00'],
        ['2025-10-26T14:00-05:30', '2025-10-26 19:30:00+00'],
        ['2025-10-26', '2025-10-26 00:00:00+00'],
        ['2024-02-29T23:59:59Z', '2024-02-29 23:59:59+00'],
      ]
      await bench.script("set timezone to 'UTC'")
      const agents = dates.map(([last_login], index) => valid.agent(index + 1, { last_login }))
      const { report } = await bench.import({ 'agents.json': lines(...agents) })
      expect(report.findings).toEqual([])
      expect(await bench.rows('select last_login from agents order by mongo_id')).toEqual(
        dates.map(([, text]) => [text]),
      )
    })

    test('refuses what is none', async () => {
      const dates = [
        { $date: 'yesterday' },
        { $date: '2025-02-29T00:00:00Z' },
        { $date: '2025-13-01T00:00:00Z' },
        { $date: '2025-10-00T00:00:00Z' },
        { $date: '2025-10-26T24:00:00Z' },
        { $date: '2025-10-26T14:60:00Z' },
        { $date: { $numberLong: '9223372036854775807' } },
        { $date: { $numberLong: '-210866803200001' } },
        { $date: { $numberLong: 'x' } },
        { $date: null },
        '2025-10-26T14:00:00',
        '26.10.2025',
        1761487200000,
        true,
      ]
      const agents = dates.map((last_login, index) => valid.agent(index + 1, { last_login }))
      const { report } = await bench.import({ 'agents.json': lines(...agents) })
      expect(errorsOf(report.findings)).toEqual(
        dates.map((_, index) => `bad-date agents.json:${String(index + 1)} ${oid(index + 1)} last_login`),
      )
    })
  })

  describe('of values that nobody but their owner understands', () => {
    test('turns Extended JSON into plain JSON', async () => {
      const tags = {
        id: { $oid: oid(9).toUpperCase() },
        at: { $date: '2025-10-26T14:00:00Z' },
        then: { $date: { $numberLong: '1761487200000' } },
        long: { $numberLong: '-9223372036854775808' },
        int: { $numberInt: '5' },
        double: { $numberDouble: '2.5' },
        infinite: { $numberDouble: '-Infinity' },
        decimal: { $numberDecimal: '1.50' },
        bytes: { $binary: { base64: 'AAECAw==', subType: '00' } },
        uuid: { $uuid: 'c8edabc3-f738-4ca3-b68d-ab92a91478a3' },
        pattern: { $regularExpression: { pattern: 'a"b', options: 'i' } },
        list: [{ $numberInt: '1' }, null, { nested: { $oid: oid(9) } }],
        stamp: { $timestamp: { t: 1, i: 2 } },
        link: { $ref: 'agents', $id: { $oid: oid(9) } },
        nothing: { $undefined: true },
        empty: {},
      }
      const { error } = await bench.import({ 'systemmetrics.json': lines(valid.metric(7, { tags })) })
      expect(error).toBeUndefined()
      const expected = {
        ...{ id: oid(9), at: '2025-10-26T14:00:00Z', then: '2025-10-26T14:00:00.000Z' },
        ...{
          int: 5,
          double: 2.5,
          infinite: '-Infinity',
          bytes: 'AAECAw==',
          uuid: 'c8edabc3-f738-4ca3-b68d-ab92a91478a3',
        },
        ...{ pattern: '/a"b/i', list: [1, null, { nested: oid(9) }], stamp: '1:2' },
        ...{ link: { $ref: 'agents', $id: oid(9) }, nothing: null, empty: {} },
      }
      const [row] = await bench.rows(
        "select (tags - 'long' - 'decimal')::text, tags ->> 'long', tags ->> 'decimal' from system_metrics",
      )
      expect(JSON.parse(row?.[0] ?? '')).toEqual(expected)
      expect(row?.slice(1)).toEqual(['-9223372036854775808', '1.50'])
      await bench.script('truncate system_metrics')
      await bench.import({
        'systemmetrics.bson': toBson(valid.metric(7, { tags: { ...tags, at: tags.then } })),
      })
      expect(
        JSON.parse(
          (await bench.rows("select (tags - 'long' - 'decimal')::text from system_metrics"))[0]?.[0] ?? '',
        ),
      ).toEqual({
        ...expected,
        at: expected.then,
      })
    })

    test('names what is wrong inside', async () => {
      const cases: readonly (readonly [Doc, string])[] = [
        [{ a: [{ b: { $oid: 'xyz' } }] }, 'bad-oid tags.a.0.b'],
        [{ a: { $date: 'never' } }, 'bad-date tags.a'],
        [{ a: { $numberInt: 'abc' } }, 'bad-type tags.a'],
        [{ a: { $numberLong: '9223372036854775808' } }, 'bad-type tags.a'],
        [{ a: { $binary: 5 } }, 'bad-type tags.a'],
        [{ a: 'NUL \u0000 in it' }, 'bad-text tags.a'],
        [{ a: ['half \ud83d a pair'] }, 'bad-text tags.a.0'],
      ]
      const metrics = cases.map(([tags], index) => valid.metric(index + 1, { tags }))
      const { report } = await bench.import({ 'systemmetrics.json': lines(...metrics) })
      expect(report.findings.map(({ code, path }) => `${code} ${String(path)}`)).toEqual(
        cases.map(([, text]) => text),
      )
      expect(report.findings.map(({ line }) => line)).toEqual(cases.map((_, index) => index + 1))
    })
  })

  describe('of bad documents', () => {
    test('names every kind of them', async () => {
      const { agent, customer, delivery, call, apiKey } = valid
      const cases: readonly (readonly [string, (number: number) => Doc, string])[] = [
        ['agents', (n) => ({ ...agent(n), _id: undefined }), 'missing _id'],
        ['agents', (n) => agent(n, { _id: null }), 'missing _id'],
        ['agents', (n) => agent(n, { _id: { $oid: '64f1a2b3c4d5e6f7g8h9i0j3' } }), 'bad-oid _id'],
        ['agents', (n) => agent(n, { _id: { a: 1 } }), 'bad-type _id'],
        ['agents', (n) => agent(n, { _id: '' }), 'bad-oid _id'],
        ['agents', (n) => agent(n, { _id: 'x'.repeat(25) }), 'too-long _id'],
        ['agents', (n) => ({ ...agent(n), email: undefined }), 'missing email'],
        ['agents', (n) => agent(n, { name: null }), 'missing name'],
        ['agents', (n) => agent(n, { name: '' }), 'missing name'],
        ['agents', (n) => agent(n, { role: 'boss' }), 'enum role'],
        ['agents', (n) => agent(n, { login_count: 2_147_483_648 }), 'bounds login_count'],
        ['agents', (n) => agent(n, { login_count: 1.5 }), 'bad-type login_count'],
        ['agents', (n) => agent(n, { login_count: '5' }), 'bad-type login_count'],
        ['agents', (n) => agent(n, { name: 5 }), 'bad-type name'],
        ['agents', (n) => agent(n, { is_active: 'yes' }), 'bad-type is_active'],
        ['agents', (n) => agent(n, { name: { first: 'A' } }), 'bad-type name'],
        ['agents', (n) => agent(n, { performance_metrics: 'good' }), 'bad-type performance_metrics'],
        ['agents', (n) => agent(n, { name: 'a\u0000b' }), 'bad-text name'],
        ['agents', (n) => agent(n, { name: 'a\ud800b' }), 'bad-text name'],
        ['agents', (n) => agent(n, { nickname: 'x' }), 'unknown-field nickname'],
        ['customers', (n) => customer(n, { customer_rating: 0.5 }), 'bounds customer_rating'],
        [
          'customers',
          (n) => customer(n, { customer_rating: { $numberDecimal: '5.01' } }),
          'bounds customer_rating',
        ],
        [
          'customers',
          (n) => customer(n, { customer_rating: { $numberDouble: 'NaN' } }),
          'bad-type customer_rating',
        ],
        [
          'customers',
          (n) => customer(n, { preferences: { preferred_days: 'monday' } }),
          'bad-type preferences.preferred_days',
        ],
        [
          'customers',
          (n) => customer(n, { preferences: { preferred_days: ['a', 2] } }),
          'bad-type preferences.preferred_days.1',
        ],
        ['customers', (n) => customer(n, { call_history: { status: 'busy' } }), 'bad-type call_history'],
        ['customers', (n) => customer(n, { call_history: [{}, 'busy'] }), 'bad-type call_history.1'],
        [
          'customers',
          (n) => customer(n, { call_history: [{ sid: 'x' }] }),
          'unknown-field call_history.0.sid',
        ],
        ['deliveries', (n) => delivery(n, 2, { customer_id: { $oid: 'z' } }), 'bad-oid customer_id'],
        [
          'deliveries',
          (n) => delivery(n, 2, { customer_id: { $date: '2025-01-01T00:00:00Z' } }),
          'bad-type customer_id',
        ],
        ['deliveries', (n) => delivery(n, 2, { customer_id: null }), 'missing customer_id'],
        [
          'deliveries',
          (n) => delivery(n, 2, { package_details: { colour: 'red' } }),
          'unknown-field package_details.colour',
        ],
        ['deliveries', (n) => delivery(n, 999), 'dangling-reference customer_id'],
        ['calllogs', (n) => call(n, 3, { status: 'cancelled' }), 'enum status'],
        ['calllogs', (n) => call(n, 999), 'dangling-reference delivery_id'],
        ['apikeys', (n) => apiKey(n, { created_by: { $oid: oid(999) } }), 'dangling-reference created_by'],
      ]
      const files = new Map<string, Doc[]>([
        ['customers', [valid.customer(2)]],
        ['deliveries', [valid.delivery(3, 2)]],
      ])
      const expected = cases.map(([collection, document, finding], index) => {
        const documents = files.get(collection) ?? []
        files.set(collection, documents)
        return `${collection}.json:${String(documents.push(document(index + 10)))} ${finding}`
      })
      const { report, error } = await bench.import(
        Object.fromEntries([...files].map(([name, documents]) => [`${name}.json`, lines(...documents)])),
      )
      const found = report.findings
        .filter(({ severity }) => severity === 'error')
        .map(({ file, line, code, path }) => `${file}:${String(line)} ${code} ${String(path)}`)
      expect([...found].sort()).toEqual([...expected].sort())
      expect(error?.exit).toBe(2)
      expect(report.bad).toBe(cases.length)
    })

    test('names every one of them in one look, in the order of the files', async () => {
      const { report, error } = await bench.import({
        'agents.json':
          lines(valid.agent(1, { role: 'boss', email: 5 }), valid.agent(2)) +
          '{"_id": oops}\n\n[]\n' +
          lines(valid.agent(2), valid.agent(3, { phone: '+12125550002' })),
        'deliveries.json': lines(valid.delivery(10, 99, { agent_id: { $oid: oid(1) } })),
      })
      expect(errorsOf(report.findings)).toEqual([
        `bad-type agents.json:1 ${oid(1)} email`,
        `enum agents.json:1 ${oid(1)} role`,
        `duplicate-id agents.json:2 ${oid(2)} _id`,
        'unreadable agents.json:3',
        'unreadable agents.json:5',
        `duplicate-id agents.json:6 ${oid(2)} _id`,
        `duplicate-value agents.json:7 ${oid(3)} phone`,
        // The agent is bad, but it is there: the delivery is not to blame for referring to it.
        `dangling-reference deliveries.json:1 ${oid(10)} customer_id`,
      ])
      expect(error?.message).toBe('7 documents of 7 cannot be imported.')
      expect(report.files).toEqual([
        { file: 'agents.json', collection: 'agents', documents: 6, bad: 6 },
        { file: 'deliveries.json', collection: 'deliveries', documents: 1, bad: 1 },
      ])
      expect(await contents(bench)).toEqual([])
    })

    test('names both documents that claim a unique value, and the row that has it already', async () => {
      await bench.script("insert into customers (name, phone) values ('By hand', '+49')")
      const { report } = await bench.import({
        'customers.json': lines(
          valid.customer(1, { phone: '+48' }),
          valid.customer(2, { phone: '+49' }),
          valid.customer(3, { phone: '+48' }),
        ),
      })
      expect(
        report.findings.map(({ line, path, message }) => [line, path, message.replace(/row \S+/, 'row')]),
      ).toEqual([
        [1, 'phone', '"+48" has to be unique, and another document has it as well: customers.json:3'],
        [2, 'phone', '"+49" has to be unique, and the row of customers, which is not imported, has it'],
        [3, 'phone', '"+48" has to be unique, and another document has it as well: customers.json:1'],
      ])
    })

    test('never shows a secret', async () => {
      const { report } = await bench.import({
        'apikeys.json': lines(
          valid.apiKey(1, { key: 'tell-nobody' }),
          valid.apiKey(2, { key: 'tell-nobody' }),
        ),
        'agents.json': lines(valid.agent(1, { password: 'x'.repeat(5) + '\u0000' })),
      })
      expect(report.findings.map(({ code, path }) => [code, path])).toEqual([
        ['duplicate-value', 'key'],
        ['duplicate-value', 'key'],
        ['bad-text', 'password'],
      ])
      expect(JSON.stringify(report)).not.toContain('tell-nobody')
    })

    test('counts documents of a binary file by number', async () => {
      const { report } = await bench.import({
        'agents.bson': toBson(valid.agent(1), valid.agent(2, { role: 'boss' })),
      })
      expect(short(report.findings)).toEqual([`enum agents.bson:#2 ${oid(2)} role`])
    })

    test('names a binary file that breaks off', async () => {
      const whole = toBson(valid.agent(1), valid.agent(2))
      const { report } = await bench.import({ 'agents.bson': whole.subarray(0, whole.length - 10) })
      expect(report.findings.map(({ code, document, message }) => [code, document, message])).toEqual([
        ['unreadable', 2, 'the file ends within this document'],
      ])
      const nonsense = await bench.import({
        'agents.bson': Buffer.concat([toBson(valid.agent(1)), Buffer.alloc(50, 0xff)]),
      })
      expect(short(nonsense.report.findings)).toEqual(['unreadable agents.bson:#2'])
    })

    test('stops at a zipped file that breaks off', async () => {
      const zipped = gzipSync(lines(valid.agent(1)))
      await expect(
        bench.import({ 'agents.json.gz': zipped.subarray(0, zipped.length - 12) }),
      ).rejects.toMatchObject({
        code: 'import.unreadable-file',
      })
      expect(await contents(bench)).toEqual([])
    })

    test('does not let --allow-dangling excuse a required reference', async () => {
      const { report } = await bench.import(
        { 'deliveries.json': lines(valid.delivery(3, 99, { agent_id: { $oid: oid(98) } })) },
        { allowDangling: true },
      )
      expect(short(report.findings)).toEqual([
        `dangling-reference deliveries.json:1 ${oid(3)} customer_id`,
        `(dangling-reference) deliveries.json:1 ${oid(3)} agent_id`,
      ])
    })
  })

  describe('that leaves bad documents out', () => {
    test('leaves out what refers to them as well, and imports the rest', async () => {
      const files = {
        'customers.json': lines(valid.customer(1, { phone: 5 }), valid.customer(2)),
        'deliveries.json': lines(valid.delivery(11, 1), valid.delivery(12, 2), valid.delivery(13, 2)),
        'calllogs.json': lines(valid.call(21, 11), valid.call(22, 12), valid.call(23, 13)),
        'recordings.json': lines(
          valid.recording(31, 21, 11),
          valid.recording(32, 22, 12),
          valid.recording(33, 23, 13, { duration: null }),
        ),
      }
      const { report, error } = await bench.import(files, { skipBad: true })
      expect(error).toBeUndefined()
      expect(errorsOf(report.findings)).toEqual([
        `bad-type customers.json:1 ${oid(1)} phone`,
        `dangling-reference deliveries.json:1 ${oid(11)} customer_id`,
        `dangling-reference calllogs.json:1 ${oid(21)} delivery_id`,
        `dangling-reference recordings.json:1 ${oid(31)} delivery_id`,
        `missing recordings.json:3 ${oid(33)} duration`,
      ])
      expect(report.bad).toBe(5)
      expect(
        await bench.rows(
          'select mongo_id from recordings union all select mongo_id from call_logs union all select mongo_id from deliveries order by 1',
        ),
      ).toEqual([12, 13, 22, 23, 32].map((number) => [oid(number)]))
    })

    test('takes none of the documents that share an _id', async () => {
      const { report } = await bench.import(
        {
          'agents.json': lines(
            valid.agent(1, { name: 'one' }),
            valid.agent(1, { name: 'other' }),
            valid.agent(2),
          ),
        },
        { skipBad: true },
      )
      expect(report.bad).toBe(2)
      expect(await bench.rows('select name from agents')).toEqual([['Agent 2']])
    })
  })

  test('finds the documents that references lead to in the database as well', async () => {
    await bench.import({ 'customers.json': lines(valid.customer(2)) })
    const { error } = await bench.import({ 'deliveries.json': lines(valid.delivery(3, 2)) })
    expect(error).toBeUndefined()
    expect(
      await bench.rows('select c.name from deliveries d join customers c on c.id = d.customer_id'),
    ).toEqual([['Customer 2']])
  })

  test('of a dry run counts everything and writes nothing', async () => {
    await bench.import({ 'agents.json': lines(valid.agent(1), valid.agent(2)) })
    const before = await contents(bench)
    const { report } = await bench.import(
      { 'agents.json': lines(valid.agent(1, { name: 'New' }), valid.agent(2), valid.agent(3)) },
      { dryRun: true },
    )
    expect(report.tables).toEqual([{ table: 'agents', inserted: 1, updated: 1, unchanged: 1, removed: 0 }])
    expect(await contents(bench)).toEqual(before)
    expect(await bench.rows("select count(*) from pg_class where relname like 'dbkit\\_import%'")).toEqual([
      ['0'],
    ])
  })

  test('that meets a constraint the mapping does not know leaves nothing, and shows no row', async () => {
    await bench.script("alter table agents add constraint agents_odd check (name <> 'Agent 2')")
    try {
      const failure = await bench
        .import({ 'agents.json': lines(valid.agent(1), valid.agent(2, { password: 'tell-nobody' })) })
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      expect(failure).toMatchObject({
        code: 'import.refused',
        exit: 3,
        cause: { sqlstate: '23514', fields: { constraint: 'agents_odd' } },
      })
      expect(JSON.stringify(failure)).not.toContain('tell-nobody')
      expect(JSON.stringify((failure as Error).cause)).not.toContain('tell-nobody')
      expect(await contents(bench)).toEqual([])
    } finally {
      await bench.script('alter table agents drop constraint agents_odd')
    }
  })

  test('of many documents goes through in pieces', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) =>
      valid.metric(index + 1, { value: index, tags: { index } }),
    )
    let seen = 0
    const { report } = await bench.import(
      { 'systemmetrics.json': lines(...many) },
      { onProgress: ({ documents }) => (seen = documents) },
    )
    expect(report.documents).toBe(20_000)
    expect(seen).toBe(20_000)
    expect(await bench.rows('select count(*), sum(value), count(distinct id) from system_metrics')).toEqual([
      ['20000', '199990000', '20000'],
    ])
    const again = await bench.import({ 'systemmetrics.json': lines(...many) })
    expect(again.report.tables).toEqual([
      { table: 'system_metrics', inserted: 0, updated: 0, unchanged: 20_000, removed: 0 },
    ])
  })
})

/** UUIDv5 by the book, apart from the code under test. */
function uuid5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
