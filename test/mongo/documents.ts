import { EJSON } from 'bson'

/** ObjectIds that say when their documents were made: 2025-01-01 and some seconds. */
export function oid(number: number): string {
  return (
    (0x6774_8580 + number).toString(16).padStart(8, '0') + 'abcdef0123' + number.toString(16).padStart(6, '0')
  )
}

export type Doc = Readonly<Record<string, unknown>>

const ref = (number: number): Doc => ({ $oid: oid(number) })
const date = (iso: string): Doc => ({ $date: iso })

/** Documents that the model accepts, in relaxed Extended JSON; `more` adds fields or replaces them. */
export const valid = {
  agent: (number: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    name: `Agent ${String(number)}`,
    phone: `+1212555${String(number).padStart(4, '0')}`,
    email: `agent${String(number)}@example.com`,
    password: '$2a$10$hash',
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00.250Z'),
    __v: 0,
    ...more,
  }),
  customer: (number: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    name: `Customer ${String(number)}`,
    phone: `+1646555${String(number).padStart(4, '0')}`,
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00Z'),
    __v: 3,
    ...more,
  }),
  delivery: (number: number, customer: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    customer_id: ref(customer),
    address: `${String(number)} Main St`,
    coordinates: { type: 'Point', coordinates: [-74.006, 40.7128] },
    scheduled_time: date('2025-10-26T14:00:00Z'),
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00Z'),
    ...more,
  }),
  call: (number: number, delivery: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    delivery_id: ref(delivery),
    call_sid: `CA${String(number).padStart(32, '0')}`,
    status: 'completed',
    from_number: '+12125550199',
    to_number: '+16465550001',
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00Z'),
    ...more,
  }),
  recording: (number: number, call: number, delivery: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    call_log_id: ref(call),
    delivery_id: ref(delivery),
    audio_url: 'https://audio.example.com/1.mp3',
    duration: 44.2,
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00Z'),
    ...more,
  }),
  apiKey: (number: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    key: `secret-${String(number)}`,
    name: `Key ${String(number)}`,
    createdAt: date('2025-02-01T08:00:00Z'),
    updatedAt: date('2025-03-01T08:00:00Z'),
    ...more,
  }),
  metric: (number: number, more: Doc = {}): Doc => ({
    _id: ref(number),
    metric_type: 'api_response_time',
    value: 12.5,
    timestamp: date('2025-02-01T08:00:00Z'),
    ...more,
  }),
}

/** One document a line, as mongoexport writes them. */
export function lines(...documents: readonly Doc[]): string {
  return documents.map((document) => JSON.stringify(document) + '\n').join('')
}

/** The same as canonical Extended JSON: every number and date with its type. */
export function canonical(...documents: readonly Doc[]): string {
  return documents
    .map(
      (document) =>
        EJSON.stringify(EJSON.deserialize(document, { relaxed: false }), { relaxed: false }) + '\n',
    )
    .join('')
}
