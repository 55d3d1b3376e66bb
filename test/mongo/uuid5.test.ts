import { expect, test } from '@jest/globals'
import { MONGO_NAMESPACE, mongoUuid } from '../../src/mongo/uuid5.js'

// Computed with uuid_generate_v5 of PostgreSQL's uuid-ossp. Applications may have stored such ids: they never change.
test('the ids of documents are those that PostgreSQL computes', () => {
  expect(MONGO_NAMESPACE).toBe('b7aab012-56f4-4209-9ef9-7c2f4548947d')
  expect(mongoUuid('agents', '64f1a2b3c4d5e6f7a8b9c0d1')).toBe('8f0fbb6c-c98d-528a-85c1-995cf5d14ad8')
  expect(mongoUuid('calllogs', 'Schlüssel 🔑')).toBe('ef719744-56b6-5799-ab17-328ccd363b50')
})
