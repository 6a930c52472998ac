/**
 * The specs whose subject is processes: how they start, end, are killed and come again, what they print, what they share, what the
 * package loads in them, and what others' programs get from a server. Apart from the others, because each starts several, and what
 * a server does is tried within the process of its spec. All they need is Node; recipes in other languages need those.
 */
import { availableParallelism } from 'node:os'
import { processSpecs, shared } from '../../jest.config.mjs'

/** @type {import('jest').Config} */
export default {
  ...shared,
  displayName: 'processes',
  rootDir: '../..',
  maxWorkers: availableParallelism(),
  testMatch: processSpecs.map(path => `<rootDir>/${path}`)
}
