/**
 * Names by which clients know people (OpenID Connect Core §8): the person's own `sub`, or, where a client registered
 * `pairwise`, an identifier that no other sector can tell is the same person's. Inside this server a person is always
 * their own `sub`.
 */
import { createHmac } from 'node:crypto'
import type { Client, ClientMetadata } from '../clients/client.ts'
import { ServerError } from '../errors.ts'
import { ConfigurationError, valueLike } from '../options.ts'
import { sectorOf } from '../clients/subject-type.ts'

/** Turns a sector and a person's own `sub` into what the sector's clients call the person. */
export type PairwiseSubjects = (sector: string, sub: string) => string

/** A server, as far as it names people to clients. */
interface SubjectNaming {
  /** Undefined where no secret was given: every client knows people by their own `sub`. */
  readonly pairwise: PairwiseSubjects | undefined
}

const shortestSecret = 32

/** A secret of at least 32 bytes. */
export const pairwiseSecretCheck = valueLike<string | Uint8Array>(
  `a string or Uint8Array of at least ${shortestSecret} bytes`,
  value => (typeof value === 'string' || value instanceof Uint8Array) && Buffer.byteLength(value) >= shortestSecret
)

/**
 * Pairwise identifiers under a secret: HMAC-SHA256 over issuer, sector and `sub`. The same three always give the same
 * identifier, which says nothing about any of them; issuers that share a secret share no identifier.
 */
export function pairwiseSubjects(secret: string | Uint8Array, issuer: string): PairwiseSubjects {
  const bytes = Buffer.from(secret)
  // JSON keeps the three apart, whatever is in them
  return (sector, sub) =>
    createHmac('sha256', bytes)
      .update(JSON.stringify(['pairwise', issuer, sector, sub]))
      .digest('base64url')
}

/** The values clients may register as `subject_type`. */
export function subjectTypes({ pairwise }: SubjectNaming): readonly string[] {
  return pairwise === undefined ? ['public'] : ['public', 'pairwise']
}

/**
 * This client's name for the person whose own `sub` this is: in ID Tokens, at userinfo, in JWT access tokens, in hints
 * it sends.
 */
export function subjectFor({ pairwise }: SubjectNaming, client: Client, sub: string): string {
  if (client.subject_type !== 'pairwise') return sub
  const sector = sectorOf(client)
  if (pairwise !== undefined && sector !== undefined) return pairwise(sector, sub)
  throw new ServerError({ reason: `client ${client.client_id} registered pairwise subjects: pairwiseSecret must be given` })
}

/**
 * Refuses pairwise clients of a list where there is no secret to make their identifiers with: told at start, not by a
 * failing request.
 *
 * @throws ConfigurationError naming the client's member.
 */
export function checkSubjectTypes({ pairwise }: SubjectNaming, clients: unknown): void {
  if (pairwise !== undefined || !Array.isArray(clients)) return
  const index = (clients as readonly ClientMetadata[]).findIndex(({ subject_type }) => subject_type === 'pairwise')
  if (index !== -1)
    throw new ConfigurationError(`clients[${index}].subject_type`, 'must be "public" unless pairwiseSecret is given')
}
