/** Hints of who is signed in that this server did not sign: each says what an ID Token of ours says. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const partsOf = (jwt: string) => jwt.split('.') as [header: string, claims: string, signature: string]

export const unsigned = (jwt: string) => `${encode({ alg: 'none', typ: 'JWT' })}.${partsOf(jwt)[1]}.`

/** Under the name of our key, and not by it. */
export function signedByAnother(jwt: string): string {
  const [header, claims] = partsOf(jwt)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return `${header}.${claims}.${sign('sha256', Buffer.from(`${header}.${claims}`), privateKey).toString('base64url')}`
}

export function signedBySecret(jwt: string): string {
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${partsOf(jwt)[1]}`
  return `${text}.${createHmac('sha256', 'secret of the client').update(text).digest('base64url')}`
}
