// pg without its pool and its native binding, a quarter of what importing it costs: dbkit opens each of its few connections itself.
import Client from 'pg/lib/client.js'
import Connection from 'pg/lib/connection.js'
import types from 'pg-types'

export default { Client, Connection, types }
