/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  setupFiles: ['<rootDir>/test/support/spare-optimising.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // An embedded engine starts in 2 s on a quiet machine and in 13 s on a busy one.
  testTimeout: 60_000,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/scripts/jest-transform.js' },
  moduleNameMapper: {
    // Tests that speak as a user of the package get what is shipped.
    '^dbkit$': '<rootDir>/dist/lib/index.js',
    '^dbkit/(.*)$': '<rootDir>/dist/lib/$1.js',
    // Imports end in .js, as Node wants them, whatever the file is before compilation.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  // Not below the folder of temporary files, which is another one for each run.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // Data folders of embedded engines: thousands of files that are no modules.
  modulePathIgnorePatterns: ['<rootDir>/.dbkit/'],
}
