import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import { importX } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/**
 * The rooms of lib/ and the files that stand beside them, from the top of the house to its cellar: each may import what stands below it, and nothing
 * else. Those in one list stand side by side, and do not know each other.
 */
const house = [
  ['lint', 'replay'],
  ['mcp', 'client-auth', 'workloads'],
  'sign-in',
  'index.ts',
  'authorization-server',
  'endpoints',
  'token-endpoint',
  'protected-resource',
  'authentication',
  ['strategies', 'token-issuers'],
  'authorization-requests',
  'codes',
  'credentials',
  'tokens',
  'assertions',
  'signing-keys',
  'client-keys',
  'events',
  'http',
  'certificates',
  'profiles.ts',
  'client-request.ts',
  'clients',
  'decisions',
  'outbound',
  'stores',
  'crypto',
  'create-server.ts',
  'listeners.ts',
  'lazily.ts',
  'printable.ts',
  'errors.ts',
  'options.ts',
  'json.ts',
  'request-note.ts'
]

/** Of what stands below them, these may import only what is listed. */
const narrower = {
  // it runs in clients: what is the server's stays out
  'client-auth': ['options.ts'],
  workloads: ['assertions', 'clients', 'options.ts', 'json.ts'],
  stores: ['errors.ts', 'options.ts'],
  'create-server.ts': ['options.ts'],
  'options.ts': ['json.ts'],
  'json.ts': [],
  'request-note.ts': []
}

/** What may be imported although it stands above, and why. */
const exceptions = {
  // an error carries the decision it ends; that file holds types alone
  'errors.ts': ['decisions/decision.ts']
}

/** They know Express or Passport; every other room takes values. */
const expressRooms = [
  'mcp',
  'sign-in',
  'authorization-server',
  'endpoints',
  'token-endpoint',
  'protected-resource',
  'authentication',
  'strategies',
  'http'
]

/** What a user of the package can import. */
const publicEntries = [
  './index.ts',
  './events/index.ts',
  './mcp/mcp.ts',
  './lint/lint.ts',
  './replay/replay.ts',
  './testing/attacks.ts',
  './client-auth/client-auth.ts',
  './stores/open.ts',
  './sign-in/upstream.ts',
  './workloads/workloads.ts',
  './stores/sqlite.ts',
  './stores/postgres.ts',
  './stores/redis.ts'
]

/** No endpoint, and known to every one. `index.ts` is the list of the endpoints, and knows them all. */
const besideEndpoints = ['endpoint.ts', 'error-page.ts']

const namesIn = folder => readdirSync(new URL(`${folder}/`, import.meta.url)).filter(name => !name.startsWith('.'))
const standing = house.flat()
const homeless = namesIn('lib').filter(name => name !== 'testing' && !standing.includes(name))
if (homeless.length > 0) throw new Error(`eslint.config.js: say where in the house ${homeless.join(', ')} of lib/ stands`)

const zone = (name, known, message) => ({
  target: `./lib/${name}`,
  from: './lib',
  except: [name, ...known].map(path => `./${path}`),
  message
})

const walls = [
  ...house.flatMap((floor, level) => {
    const below = house.slice(level + 1).flat()
    return [floor]
      .flat()
      .map(name =>
        zone(
          name,
          [...(narrower[name] ?? below), ...(exceptions[name] ?? [])],
          `${name} may import what stands below it; see the house in eslint.config.js`
        )
      )
  }),
  zone('testing', ['stores/store.ts', 'stores/batch.ts'], 'the store kit knows the contract and no store'),
  ...namesIn('lib/endpoints')
    .filter(name => name !== 'index.ts' && !besideEndpoints.includes(name))
    .map(name => ({
      target: `./lib/endpoints/${name}`,
      from: './lib/endpoints',
      except: [name, ...besideEndpoints].map(path => `./${path}`),
      message: 'endpoints do not know each other; what several share is in authorization-requests/'
    }))
]

const widestComment = 120

/** Comments no wider than a page: a formatter breaks code, and no comment. Tables cannot be broken, and examples are code. */
const commentWidth = {
  create(context) {
    const { lines } = context.sourceCode
    const isWords = line => /^ *(?:\/?\*(?! \|)|\/\/)/.test(line)
    const check = ({ start, end }) => {
      for (let number = start.line; number <= end.line && !lines[number - 1].includes('* @example'); number++) {
        const line = lines[number - 1]
        if (line.length > widestComment && isWords(line))
          context.report({ loc: { line: number, column: widestComment }, message: 'break this line of a comment' })
      }
    }
    return { Program: () => context.sourceCode.getAllComments().forEach(({ loc }) => check(loc)) }
  }
}

export default tseslint.config(
  { ignores: ['dist', 'site/.vitepress/.temp', 'data', 'coverage', '**/node_modules', 'spec/consumers/*/'] },
  js.configs.recommended,
  {
    files: ['lib/**/*.ts', 'example-app/**/*.ts', 'cli/**/*.ts'],
    plugins: { house: { rules: { 'comment-width': commentWidth } } },
    rules: { 'house/comment-width': 'error' }
  },
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
            ...walls,
            {
              target: './lib',
              from: ['./cli', './example-app', './spec', './bench'],
              message: 'the library does not know what is built on it'
            },
            {
              target: './example-app',
              from: './cli',
              message: 'the example app does not know the command'
            },
            {
              target: './cli',
              from: './lib',
              except: publicEntries,
              message: "the command imports 'clientele', as a user would"
            },
            {
              target: './cli',
              from: './example-app',
              except: ['./config'],
              message: 'the command knows what a configuration file is, and no server'
            },
            {
              target: './example-app',
              from: './lib',
              except: publicEntries,
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
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // parameters and metadata are keyed by registered names: index access reads better than dots that half the time need quotes
      '@typescript-eslint/dot-notation': 'off'
    }
  },
  {
    files: ['lib/**/*.ts'],
    ignores: expressRooms.map(room => `lib/${room}/**`),
    rules: {
      'no-restricted-imports': ['error', { paths: ['express', 'passport', 'passport-http', 'passport-oauth2-client-password'] }]
    }
  },
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
  },
  {
    files: ['site/.vitepress/theme/*.mjs'],
    languageOptions: { globals: { document: 'readonly' } }
  },
  {
    files: ['example-app/playground/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'window', 'location', 'history', 'navigator', 'crypto', 'fetch', 'btoa', 'atob', 'setTimeout']
          .concat(['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'BroadcastChannel'])
          .map(name => [name, 'readonly'])
      )
    }
  }
)
