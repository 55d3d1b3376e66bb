import eslint from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const noEnding = {
  regex: '^\\.{1,2}(/(?!.*\\.(js|json)$)|$)',
  message: 'Node resolves what is written: name the file, with its ending (.js, also for TypeScript).',
}

const surroundings = [
  ...['argv', 'cwd', 'env', 'exit', 'exitCode', 'stderr', 'stdin', 'stdout'],
  ...['chdir', 'emitWarning', 'off', 'on', 'once', 'umask'],
].map((property) => ({
  object: 'process',
  property,
  message: 'Only bin/ hands over the real process: take it as an argument, so that tests can pass theirs.',
}))

const noClock = 'A plan depends on its arguments alone: pass the moment in, so that a test can.'

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'fixtures/', '.dbkit/']),

  {
    files: ['**/*.{js,cjs,ts}'],
    extends: [eslint.configs.recommended],
    languageOptions: { ecmaVersion: 2024 },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-imports': ['error', { patterns: [noEnding] }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },

  {
    files: ['**/*.{js,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortController',
          'Buffer',
          'URL',
          'clearTimeout',
          'console',
          'fetch',
          'performance',
          'process',
          'setTimeout',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The compiler knows globals and undefined names better.
      'no-undef': 'off',

      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': [
        'error',
        { fixMixedExportsWithInlineTypeSpecifier: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],

      // Numbers read well in a message; what else is interpolated has to be turned into text on purpose.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => stream.end()` hides nothing.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `[...text]` counts characters as PostgreSQL does: by code point.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // An implementation of a port is async because the port is, also when this engine has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },

  {
    files: ['src/**/*.ts'],
    rules: {
      // Who this process is (pid, platform) is a fact; what surrounds it is an argument.
      'no-restricted-properties': ['error', ...surroundings],
      'no-restricted-globals': [
        'error',
        {
          name: 'console',
          message: 'The library returns reports; only src/cli writes, and to the streams it was given.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:process',
              message: 'Only bin/ holds the real process: take argv, env and streams as arguments.',
            },
            { name: 'node:console', message: 'The library returns reports; only src/cli writes.' },
          ],
          patterns: [
            noEnding,
            {
              regex: `^(${['assert', 'buffer', 'child_process', 'console', 'crypto', 'events', 'fs', 'http', 'module', 'net', 'os', 'path', 'process', 'readline', 'stream', 'timers', 'tls', 'url', 'util', 'worker_threads', 'zlib'].join('|')})(/.*)?$`,
              message: "Say node: before Node's own modules, so that nobody takes them for packages.",
            },
          ],
        },
      ],
    },
  },

  {
    files: ['src/plan/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...surroundings,
        { object: 'Date', property: 'now', message: noClock },
        { object: 'performance', property: 'now', message: noClock },
        { object: 'Math', property: 'random', message: 'A plan is the same each time it is made.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: noClock },
      ],
    },
  },

  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['describe', 'it', 'test'].map((object) => ({
          object,
          property: 'only',
          message: 'Good while working; committed, it would switch off every other test of the file.',
        })),
      ],
      // Jest's matchers take methods apart from their objects: expect(terminal.write).toHaveBeenCalled().
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
