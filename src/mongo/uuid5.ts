import { hash } from 'node:crypto'

/**
 * The namespace of imported keys. Part of the interface: applications and other importers compute the same ids with it, so it never
 * changes.
 */
export const MONGO_NAMESPACE = 'b7aab012-56f4-4209-9ef9-7c2f4548947d'

const NAMESPACE_BYTES = Buffer.from(MONGO_NAMESPACE.replaceAll('-', ''), 'hex')

/** The id that a document gets: UUIDv5 of "collection:_id" (RFC 9562, section 5.5). */
export function mongoUuid(collection: string, id: string): string {
  const digest = hash('sha1', Buffer.concat([NAMESPACE_BYTES, Buffer.from(`${collection}:${id}`)]), 'hex')
  const variant = HEX[(Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8] ?? ''
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}

const HEX = '0123456789abcdef'
