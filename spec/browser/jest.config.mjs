/** The browser suite: apart from the others, because it needs Chromium where they need nothing. */
import { shared } from '../../jest.config.mjs'

/** @type {import('jest').Config} */
export default {
  ...shared,
  displayName: 'browser',
  rootDir: '../..',
  testMatch: ['<rootDir>/spec/browser/**/*.spec.ts'],
  // what this one runs is installed for it alone; see there
  testPathIgnorePatterns: (process.env.MCP_INSPECTOR ?? '') === '' ? ['/inspector\\.spec\\.ts$'] : [],
  testTimeout: 60_000,
  setupFiles: []
}
