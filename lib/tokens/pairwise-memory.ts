/**
 * Memory of the person a pairwise identifier means, for the one use in which nobody is there to compare it with: an ID
 * Token as a hint of whom to ask over the backchannel (OpenID Connect CIBA §7.1). It is remembered where a client that
 * may ask so is told one, and nowhere else.
 */
import type { Client } from '../clients/client.ts'
import type { Key } from '../stores/store.ts'
import { cibaGrantType } from '../clients/grant-types.ts'
import { tokenDigest } from './grant.ts'
import type { TokenServer } from './token-server.ts'

/** Seconds: longer than a client keeps an ID Token of somebody it has not seen since. */
const memory = 31_536_000

/** Remembers whom a client was told of by a pairwise identifier, if it may ask over the backchannel. */
export async function rememberSubject(server: TokenServer, client: Client, sub: string, subject: string): Promise<void> {
  if (!client.grant_types.includes(cibaGrantType)) return
  await server.store.set(subjectKey(subject), sub, memory)
}

/** The person a client of this kind was told of; undefined where that was too long ago, or never. */
export async function recallSubject(server: TokenServer, subject: string): Promise<string | undefined> {
  const sub = (await server.store.get(subjectKey(subject)))?.value
  return typeof sub === 'string' ? sub : undefined
}

function subjectKey(subject: string): Key {
  return { kind: 'pairwise_subject', id: tokenDigest(subject) }
}
