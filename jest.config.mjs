/** @type {import('jest').Config} */
export const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }]
  },
  moduleNameMapper: { '^clientele$': '<rootDir>/lib/index.ts' },
  setupFiles: ['<rootDir>/spec/support/environment.ts']
}

/**
 * One project per Express major: the whole suite runs on Express 5, and the specs that touch Express run again on Express 4.
 * The browser suite has a configuration of its own, spec/browser/jest.config.mjs.
 * @type {import('jest').Config}
 */
export default {
  projects: [
    {
      ...shared,
      displayName: 'express 5',
      testMatch: ['<rootDir>/spec/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/spec/browser/']
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
