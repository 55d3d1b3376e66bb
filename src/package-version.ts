/** The version in package.json; a test holds the two together. Reading the file at every start would cost more than it says. */
export const DBKIT_VERSION = '0.1.0'
