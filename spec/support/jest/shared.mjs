/**
 * Packages that keep nothing from one spec file to the next: no state, settings or caches of theirs that one application could see of
 * another. They are loaded once per worker (runtime.mjs).
 */
const shared = [
  '@modelcontextprotocol/server',
  'eta',
  'express',
  'express-rate-limit',
  'express4',
  'helmet',
  'jose',
  'pino',
  'qrcode',
  'supertest',
  'typescript',
  'zod'
]

/** Whether a module is of one of them, by the package's name or by the place of a file. */
export const isShared = module => shared.includes(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? module)
