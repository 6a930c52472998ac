/** Versions of records: every one new, whichever process writes and however often it was started. */
import { randomBytes } from 'node:crypto'

/** Makes versions, each a short text that no other call of this or any other maker ever answers with. */
export function versionMaker(): () => string {
  const maker = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${maker}${(count++).toString(36)}`
}
