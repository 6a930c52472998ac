/**
 * The specs that need Redis and PostgreSQL: apart from the others, because those need nothing but Node. Each starts servers of
 * its own, on free ports of the loopback and with data of their own; all they need is that the programs are installed.
 */
import { engineSpecs, shared } from '../../jest.config.mjs'

/** @type {import('jest').Config} */
export default {
  ...shared,
  displayName: 'engines',
  rootDir: '../..',
  testMatch: engineSpecs.map(path => `<rootDir>/${path}`),
  testTimeout: 120_000,
  setupFiles: []
}
