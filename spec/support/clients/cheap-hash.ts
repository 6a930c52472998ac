import { randomBytes, scryptSync } from 'node:crypto'

/**
 * A hash as `hashSecret()` makes it, of a day when less was thought to be enough: a computation takes a tenth of what it takes today. For
 * specs that have many made, and do not say what one costs.
 */
export function cheapHash(secret: string): string {
  const salt = randomBytes(16)
  const key = scryptSync(secret, salt, 32, { N: 2 ** 12, r: 8, p: 2 })
  return `$scrypt$ln=12,r=8,p=2$${salt.toString('base64url')}$${key.toString('base64url')}`
}
