/** @type {import('jest').Config} */
export const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }]
  },
  moduleNameMapper: { '^clientele$': '<rootDir>/lib/index.ts', '^clientele/(.+)$': '<rootDir>/lib/$1.ts' },
  globalSetup: '<rootDir>/spec/support/keys/make-rsa-keys.ts',
  setupFiles: ['<rootDir>/spec/support/checks/environment.ts'],
  setupFilesAfterEnv: ['<rootDir>/spec/support/checks/no-secret-emitted.ts']
}

/** What needs a database server. */
export const engineSpecs = ['spec/stores/postgres.spec.ts', 'spec/stores/redis*.spec.ts', 'spec/journeys/cluster/*.spec.ts']

/**
 * One project per Express major: the whole suite runs on Express 5, and the specs that touch Express run again on Express 4.
 * The suites that need a browser or a database server have configurations of their own: spec/browser/jest.config.mjs and
 * spec/engines/jest.config.mjs.
 * @type {import('jest').Config}
 */
export default {
  projects: [
    {
      ...shared,
      displayName: 'express 5',
      testMatch: ['<rootDir>/spec/**/*.spec.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/spec/browser/',
        '<rootDir>/spec/proxies/',
        '<rootDir>/spec/journeys/cluster/',
        '<rootDir>/spec/stores/(?:postgres|redis)'
      ]
    },
    {
      ...shared,
      displayName: 'express 4',
      testMatch: [
        '<rootDir>/spec/http/**/*.spec.ts',
        '<rootDir>/spec/strategies/**/*.spec.ts',
        '<rootDir>/spec/*.spec.ts',
        '<rootDir>/spec/journeys/express-4.spec.ts'
      ],
      moduleNameMapper: { ...shared.moduleNameMapper, '^express$': 'express4' }
    }
  ]
}
