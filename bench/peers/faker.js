// What a seeder with @faker-js/faker does before any loading: rows like those of `calls`, as lines of COPY on the standard output.
//
//   node bench/peers/faker.js <rows>
import { writeSync } from 'node:fs'
import { faker } from '@faker-js/faker'

const rows = Number(process.argv[2])
const DAY = 86_400_000
const today = Date.parse('2026-01-31T00:00:00Z')

faker.seed(1)

const people = ['Ana Reyes', 'Ben Walker', 'Carla Novak', 'Dale Hutchins', 'Eva Lindqvist', 'Frank Osei']
const outcomes = ['ACCEPTED', 'DECLINED', 'NEGOTIATION_FAILED', 'NO_EQUIPMENT', 'CALLBACK_REQUESTED']
const talk = [
  'It picks up in the morning and delivers by appointment.',
  'The freight is palletized, no touch, and weighs out legal.',
  'There is a lumper at the receiver, we reimburse with a receipt.',
  'Can you do anything better on the rate?',
  'Let me check with the driver and call you back.',
]
const points = ['rate discussed', 'pickup window confirmed', 'tracking required', 'detention terms']
const none = '\\N'
const moment = (time) => new Date(time).toISOString()
const pick = (list) => faker.helpers.arrayElement(list)

function row(number) {
  const start = today - faker.number.int({ min: 0, max: 180 * DAY })
  const seconds = faker.number.int({ min: 35, max: 900 })
  const end = moment(start + seconds * 1000)
  const outcome = pick(outcomes)
  const accepted = outcome === 'ACCEPTED'
  const transferred = faker.datatype.boolean(0.14)
  const follows = outcome === 'CALLBACK_REQUESTED'
  const session = `ses_${String(number + 1).padStart(9, '0')}`
  const name = pick(people)
  const rate = faker.number.int({ min: 400, max: 6000 })
  return [
    faker.string.uuid(),
    `call_${faker.string.hexadecimal({ length: 16, casing: 'lower', prefix: '' })}`,
    session,
    String(faker.number.int({ min: 100_000, max: 699_999 })),
    faker.string.uuid(),
    `+1555${faker.string.numeric(7)}`,
    name,
    faker.string.uuid(),
    none,
    moment(start),
    end,
    seconds,
    faker.helpers.weightedArrayElement([
      { value: 'INBOUND', weight: 82 },
      { value: 'OUTBOUND', weight: 12 },
      { value: 'CALLBACK', weight: 6 },
    ]),
    pick(['VOICE', 'WEB_CALL', 'API_TRIGGERED']),
    pick(['AI', 'HYBRID', 'HUMAN']),
    `agent-${faker.number.int({ min: 1, max: 12 })}`,
    outcome,
    faker.number.float({ min: 0.62, max: 1, fractionDigits: 2 }),
    pick(['POSITIVE', 'NEUTRAL', 'NEGATIVE']),
    faker.number.float({ min: -1, max: 1, fractionDigits: 2 }),
    JSON.stringify({
      frustration: faker.number.float({ min: 0, max: 0.6, fractionDigits: 2 }),
      satisfaction: faker.number.float({ min: 0.2, max: 1, fractionDigits: 2 }),
    }),
    rate,
    accepted ? faker.number.int({ min: 400, max: 6000 }) : none,
    accepted ? 't' : 'f',
    JSON.stringify({
      carrier_info: {
        equipment_count: faker.number.int({ min: 1, max: 40 }),
        team_drivers: faker.datatype.boolean(0.1),
      },
      requirements: { quick_pay: faker.datatype.boolean(0.2) },
    }),
    `Agent: ${Array.from({ length: 8 }, () => pick(talk)).join(' Caller: ')}`,
    `${name} called about a load from ${faker.location.city()} to ${faker.location.city()}.`,
    `{${faker.helpers
      .arrayElements(points, { min: 1, max: 3 })
      .map((point) => `"${point}"`)
      .join(',')}}`,
    transferred ? 't' : 'f',
    transferred ? 'rate approval' : none,
    transferred ? end : none,
    transferred ? `rep-${faker.number.int({ min: 1, max: 30 })}` : none,
    follows ? 't' : 'f',
    follows ? 'asked to be called back' : none,
    follows ? moment(start + faker.number.int({ min: 2, max: 48 }) * 3_600_000) : none,
    'f',
    `https://recordings.example.com/${session}.mp3`,
    seconds,
    faker.number.int({ min: 55, max: 100 }),
    none,
    end,
    end,
    'voice-agent',
  ].join('\t')
}

let text = ''
for (let number = 0; number < rows; number++) {
  text += `${row(number)}\n`
  if (text.length < 1 << 16) continue
  writeSync(1, text)
  text = ''
}
writeSync(1, text)
