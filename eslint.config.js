import js from '@eslint/js'
import jsdoc from 'eslint-plugin-jsdoc'
import ts from 'typescript-eslint'

/** Packages that cost start-up time: only by `await import()` in the function that needs them. */
const HEAVY = [
  '@inquirer/*',
  '@peculiar/x509',
  'argon2',
  'cli-progress',
  'csv-parse',
  'csv-parse/*',
  'echarts',
  'echarts/*',
  'fastify',
  'graphile-worker',
  'inquirer',
  'jsonwebtoken',
  'pg',
  'pg-copy-streams',
  'prom-client',
  'rate-limiter-flexible',
  'qrcode',
  'selfsigned',
  'ssh-config',
  'ssh2',
]

const TERMINAL_PACKAGES = ['@oclif/*', '@inquirer/*', 'chalk', 'cli-progress', 'inquirer']

/** Folders of src/lib that are not a noun: the floors under the nouns, and the terminal beside them. */
const FLOORS_UNDER_NOUNS = ['campaign', 'config', 'database', 'keyring', 'ssh', 'trail']

/** A rule for the imports of one floor. Type imports leave no trace at run time: `types` allows them. */
function imports(...restrictions) {
  return {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          ...restrictions.map(({ packages, paths, types = false, message }) => ({
            ...(packages ? { group: packages } : { regex: paths }),
            allowTypeImports: types,
            message,
          })),
          {
            group: HEAVY,
            allowTypeImports: true,
            message: 'Load it where it is used, by await import().',
          },
        ],
      },
    ],
  }
}

/** The same floors for `await import()`. */
function lazyImports(paths, message) {
  return {
    'no-restricted-syntax': [
      'error',
      { selector: `ImportExpression[source.value=/${paths}/]`, message },
    ],
  }
}

const NO_TERMINAL = [
  { packages: TERMINAL_PACKAGES, message: 'Only commands and lib/terminal know the terminal.' },
  { paths: '/(terminal|commands)/', message: 'An import goes down only: the terminal is above.' },
]

const NO_WORK = {
  packages: ['chalk', ...HEAVY],
  message: 'A command parses and makes one call into src/lib.',
}

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'docs/'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['bin/*.js', '**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        __dirname: 'readonly',
        module: 'writable',
        process: 'readonly',
        require: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // `typeof import('pg')` names the type of what is loaded later.
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // An async function turns a throw into a rejection, with or without an await.
      '@typescript-eslint/require-await': 'off',
      // Control characters are what a terminal must be kept from.
      'no-control-regex': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // Functions handed out by a fixture are not methods.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { ...imports(), 'no-console': 'error' },
  },
  {
    files: ['src/lib/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        { publicOnly: true, require: { FunctionDeclaration: true, ClassDeclaration: true } },
      ],
    },
  },
  {
    files: ['src/commands/**/*.ts'],
    rules: imports(NO_WORK, {
      paths: '/lib/(database|keyring)/',
      message: 'A command calls a noun, not what is under it.',
    }),
  },
  {
    // Here these two are the nouns.
    files: ['src/commands/{database,keyring}/*.ts'],
    rules: imports(NO_WORK),
  },
  {
    files: ['src/lib/terminal/**/*.ts'],
    rules: imports({ paths: '/commands/', message: 'An import goes down only.' }),
  },
  {
    // Everything else is a noun, so that a new one needs no entry here.
    files: ['src/lib/*/**/*.ts'],
    ignores: [...FLOORS_UNDER_NOUNS, 'terminal'].map((folder) => `src/lib/${folder}/**`),
    rules: {
      ...imports(...NO_TERMINAL),
      ...lazyImports(
        'terminal|commands|inquirer|chalk',
        'Only commands and lib/terminal know the terminal.',
      ),
    },
  },
  {
    files: FLOORS_UNDER_NOUNS.map((folder) => `src/lib/${folder}/**/*.ts`),
    rules: imports(...NO_TERMINAL, {
      paths: `^(?:\\.\\./)+(?!(?:${FLOORS_UNDER_NOUNS.join('|')})/)[^./][^/]*/`,
      message: 'An import goes down only: the nouns are above.',
    }),
  },
  {
    files: ['src/lib/*.ts'],
    rules: imports(...NO_TERMINAL, {
      paths: '^\\./[^/]+/',
      types: true,
      message: 'Everyone stands on these files: they stand on nothing.',
    }),
  },
)
