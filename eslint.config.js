import js from '@eslint/js'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import { importX } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/** Who may not import whom. Each row: the files the wall protects, what they may not import, and why. */
const walls = [
  ['./lib/stores', './lib', ['./stores', './options.ts', './errors.ts'], 'a store knows only store.ts'],
  ['./lib/testing', './lib', ['./testing', './stores/store.ts'], 'the store kit knows the contract and no store'],
  [
    './lib/http',
    './lib',
    ['./http', './events', './errors.ts', './request.ts', './decision.ts', './options.ts', './trace.ts'],
    'http reads and answers; it decides nothing'
  ],
  [
    './lib/credentials',
    './lib',
    [
      './credentials',
      './events',
      './client.ts',
      './client-credential-set.ts',
      './client-credential.ts',
      './client-method.ts',
      './events.ts',
      './errors.ts',
      './decision.ts',
      './options.ts',
      './stores/records.ts',
      './stores/store.ts'
    ],
    'credentials know clients, not Express'
  ],
  [
    './lib/assertions',
    './lib',
    [
      './assertions',
      './events',
      './client.ts',
      './client-credential-set.ts',
      './errors.ts',
      './decision.ts',
      './events.ts',
      './request.ts',
      './options.ts',
      './stores/store.ts'
    ],
    'assertions check values; they know no Express'
  ],
  [
    './lib/tokens',
    './lib',
    [
      './tokens',
      './events',
      './client.ts',
      './subject-type.ts',
      './errors.ts',
      './events.ts',
      './event-source.ts',
      './options.ts',
      './stores/records.ts',
      './stores/store.ts'
    ],
    'tokens are made of values; they know no Express'
  ],
  [
    './lib/strategies',
    './lib',
    [
      './strategies',
      './events',
      './assertions',
      './credentials',
      './http',
      './client.ts',
      './client-credential-set.ts',
      './errors.ts',
      './request.ts',
      './decision.ts',
      './options.ts',
      './stores/store.ts'
    ],
    'strategies do not know token issuers, tokens or endpoints'
  ],
  [
    './lib/token-issuers',
    './lib',
    [
      './token-issuers',
      './decision.ts',
      './tokens',
      './assertions',
      './client.ts',
      './errors.ts',
      './request.ts',
      './options.ts',
      './stores/store.ts'
    ],
    'token issuers do not know strategies or endpoints'
  ]
]

export default tseslint.config(
  { ignores: ['dist', 'data', 'coverage', '**/node_modules', 'spec/consumers/*/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...walls.map(([target, from, except, message]) => ({ target, from, except, message })),
            {
              target: './lib',
              from: ['./example-app', './spec', './bench'],
              message: 'the library does not know what is built on it'
            },
            {
              target: './example-app',
              from: './lib',
              except: ['./index.ts', './stores/sqlite.ts', './stores/postgres.ts', './stores/redis.ts'],
              message: "the example app imports 'clientele', as a user would"
            }
          ]
        }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'PropertyDefinition > PrivateIdentifier',
          message: '#private members do not survive Object.create(strategy); use private'
        }
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // parameters and metadata are keyed by registered names: index access reads better than dots that half the time need quotes
      '@typescript-eslint/dot-notation': 'off'
    }
  },
  ...['assertions', 'credentials', 'tokens', 'stores', 'testing', 'token-issuers'].map(room => ({
    files: [`lib/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { paths: ['express', 'passport', 'passport-http', 'passport-oauth2-client-password'] }]
    }
  })),
  {
    files: ['spec/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off'
    }
  },
  {
    files: ['**/*.mjs', 'eslint.config.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        URLSearchParams: 'readonly',
        clearTimeout: 'readonly',
        setImmediate: 'readonly'
      }
    }
  }
)
