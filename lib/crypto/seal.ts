/** Values the store keeps for us and cannot read: encrypted and authenticated (AES-256-GCM) under a key that never leaves this server. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { ServerError } from '../errors.ts'
import type { TokenServer } from '../tokens/token-server.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

type Sealing = Pick<TokenServer, 'keys' | 'random'>

/** Seals a text; `purpose` keeps what was sealed for one use from being opened for another. */
export function seal({ keys, random }: Sealing, purpose: string, text: string): string {
  const nonce = random(nonceBytes)
  const cipher = createCipheriv(algorithm, keyOf(keys, purpose), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** @throws ServerError for anything this server did not seal for this purpose, or sealed under other keys. */
export function open({ keys }: Pick<Sealing, 'keys'>, purpose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  try {
    const decipher = createDecipheriv(algorithm, keyOf(keys, purpose), bytes.subarray(0, nonceBytes))
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new ServerError({ reason: `what was sealed as ${purpose} cannot be opened: were the server's keys changed?`, cause })
  }
}

function keyOf(keys: TokenServer['keys'], purpose: string): Buffer {
  return keys.mac(`seal ${purpose}`, Buffer.alloc(0))
}
