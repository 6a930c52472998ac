import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** What package.json exports, from the library as it is bundled for the specs (spec/support/jest/bundled-sources.mjs). */
const entries = Object.fromEntries(
  Object.entries(exports).flatMap(([path, target]) => {
    const [, name] = /^\.\/dist\/lib\/(.+)\.js$/.exec(target.default) ?? []
    return name === undefined ? [] : [[`^clientele${path.slice(1)}$`, `<rootDir>/dist/spec/lib/${name}.js`]]
  })
)

/** @type {import('jest').Config} */
export const shared = {
  testEnvironment: '<rootDir>/spec/support/jest/environment.mjs',
  resolver: '<rootDir>/spec/support/jest/resolver.mjs',
  runtime: '<rootDir>/spec/support/jest/runtime.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '/dist/spec/.+\\.js$': '<rootDir>/spec/support/jest/source-map.mjs',
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }]
  },
  moduleNameMapper: {
    ...entries,
    '^jose(?:/.+)?$': '<rootDir>/spec/support/jest/jose.cjs',
    '^supertest$': '<rootDir>/spec/support/jest/supertest.cjs'
  },
  globalSetup: '<rootDir>/spec/support/jest/prepare.mjs',
  setupFiles: ['<rootDir>/spec/support/checks/environment.ts'],
  setupFilesAfterEnv: ['<rootDir>/spec/support/checks/no-secret-emitted.ts']
}

/** What needs a database server. */
export const engineSpecs = ['spec/stores/postgres.spec.ts', 'spec/stores/redis*.spec.ts', 'spec/journeys/cluster/*.spec.ts']

/** What is about processes, or about programs that are not of this project. */
export const processSpecs = [
  'spec/package.spec.ts',
  'spec/docs-clients.spec.ts',
  'spec/example-app/{logout-restart,rotate-keys,start,store,tls}.spec.ts',
  'spec/journeys/{credential-rotation,listeners,secrets-in-logs,ten-mistakes}.spec.ts',
  'spec/stores/memory-cluster.spec.ts'
]

/**
 * The rooms of what Express hands in and takes back: requests, answers, routers, errors passed on, strategies run by Passport. What
 * the other rooms do with a request that was read does not depend on who read it; one journey of each kind goes through all of them.
 */
const express4 = [
  'absolute-form.spec.ts',
  'create-server.spec.ts',
  'authentication/**/*.spec.ts',
  'authorization-server/**/*.spec.ts',
  'http/**/*.spec.ts',
  'protected-resource/**/*.spec.ts',
  'strategies/index.spec.ts',
  'token-endpoint/**/*.spec.ts',
  'journeys/express-4.spec.ts'
]

/** In those rooms, what takes a value and no request. */
const whateverExpress = Object.entries({
  authentication: ['shadow/queue'],
  'authorization-server': ['authorization-server-client-keys'],
  http: ['basic-credentials', 'form', 'json-body', 'listener', 'network', 'recorded-headers', 'request-target', 'trace'],
  'token-endpoint': ['confirmation']
}).map(([room, names]) => `spec/${room}/(?:${names.join('|')})\\.spec`)

/**
 * One project per Express major: the whole suite runs on Express 5, and what needs Express runs again on Express 4. Suites that need
 * more than Node, and the one of processes, have configurations of their own: spec/{browser,engines,processes,proxies}/jest.config.mjs.
 *
 * Jest would leave one core to watching for changes; and workers wait now and then, for what they have started. Their memory grows with every
 * file they run, to two gigabytes and more.
 * @type {import('jest').Config}
 */
export default {
  maxWorkers: availableParallelism() + (totalmem() > 12 * 2 ** 30 ? 2 : 1),
  workerIdleMemoryLimit: '1.5GB',
  projects: [
    {
      ...shared,
      displayName: 'express 5',
      testMatch: ['<rootDir>/spec/**/*.spec.ts', ...[...engineSpecs, ...processSpecs].map(path => `!**/${path}`)],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/spec/browser/', '<rootDir>/spec/proxies/']
    },
    {
      ...shared,
      displayName: 'express 4',
      testMatch: express4.map(path => `<rootDir>/spec/${path}`),
      testPathIgnorePatterns: ['/node_modules/', ...whateverExpress],
      moduleNameMapper: { ...shared.moduleNameMapper, '^express$': 'express4' }
    }
  ]
}
