/** The PGlite this dbkit is made for, and the PostgreSQL inside it; the data folder of another major cannot be opened. */
export const PGLITE_VERSION = '0.5.8'
export const PGLITE_MAJOR = 18
export const PGLITE_SERVER_VERSION = '18.3'
