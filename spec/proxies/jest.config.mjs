/** The proxies suite: apart from the others, because it needs nginx, HAProxy and Apache httpd where they need nothing. */
import { shared } from '../../jest.config.mjs'

/** @type {import('jest').Config} */
export default {
  ...shared,
  displayName: 'proxies',
  rootDir: '../..',
  testMatch: ['<rootDir>/spec/proxies/**/*.spec.ts'],
  testTimeout: 60_000,
  setupFiles: []
}
