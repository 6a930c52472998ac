/** Text that rests where others could read it: encrypted and authenticated with AES-256-GCM. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { pooledRandomBytes } from './random.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/**
 * The text as nonce, tag and ciphertext, in base64url.
 *
 * @param key 32 bytes.
 * @param bound what it is, or whose: authenticated with it, and needed again to open it.
 */
export function seal(
  key: Uint8Array,
  bound: string,
  text: string,
  random: (size: number) => Uint8Array = pooledRandomBytes
): string {
  const nonce = random(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(bound))
  const ciphertext = [cipher.update(text, 'utf8'), cipher.final()]
  return Buffer.concat([nonce, cipher.getAuthTag(), ...ciphertext]).toString('base64url')
}

/**
 * The text; undefined for what was sealed under another key or bound to something else, was altered, or never sealed.
 */
export function open(key: Uint8Array, bound: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
