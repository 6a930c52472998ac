/** Values the store keeps for a server and cannot read. */
import { open, seal } from '../crypto/seal.ts'
import { ServerError } from '../errors.ts'
import type { TokenServer } from './token-server.ts'

type Sealing = Pick<TokenServer, 'keys' | 'random'>

/** Seals a value that is JSON; `purpose` keeps what was sealed for one use from being opened for another. */
export function sealed({ keys, random }: Sealing, purpose: string, value: object): string {
  return seal(keyOf(keys, purpose), '', JSON.stringify(value), random)
}

/**
 * The value that was sealed. @throws ServerError for anything this server did not seal for this purpose, or sealed
 * under other keys.
 */
export function opened({ keys }: Pick<Sealing, 'keys'>, purpose: string, text: string): unknown {
  const json = open(keyOf(keys, purpose), '', text)
  if (json !== undefined) return JSON.parse(json)
  throw new ServerError({ reason: `what was sealed as ${purpose} cannot be opened: were the server's keys changed?` })
}

function keyOf(keys: TokenServer['keys'], purpose: string): Buffer {
  return keys.mac(`seal ${purpose}`, Buffer.alloc(0))
}
