/** The functions an operator changes a client's credentials with. */
import type { JWK } from 'jose'
import {
  addCertificate,
  addKey,
  allowMethod,
  importSecret,
  importSecretHash,
  rotateSecret,
  seconds,
  tell,
  type AddedCredential,
  type CertificateSubject,
  type CredentialFunctionsContext,
  type NewSecret,
  type RotateSecretOptions
} from './additions.ts'
import { addFederated, addSpiffeId } from './workload-additions.ts'
import { checkFuture, endCredential, type CredentialOptions } from './changes.ts'
import { describeCredentials, type CredentialInfo } from './listing.ts'
import { reviewCredentials } from './review.ts'
import type { FederatedRule } from '../clients/federated-credential.ts'
import type { CredentialEvent } from '../events/events.ts'
import { lazyMembers } from '../lazily.ts'
import { flag, readOptions, type Checks } from '../options.ts'

/** The options of `revokeCredential()`. */
export interface RevokeCredentialOptions {
  /** True: even where the client could not authenticate any more. Default false. */
  readonly force?: boolean | undefined
  /**
   * True: somebody else has it. What was added by it is revoked with it, and what was added by that, even where it was
   * revoked before. Default false.
   */
  readonly stolen?: boolean | undefined
}

/** Ids of credentials, in the order in which they were added. */
export interface RevokedCredentials {
  /** Credentials revoked now: none that had been before. */
  readonly revoked: readonly string[]
  /** Credentials added by it, or by what was added by it, that still work. */
  readonly descendants: readonly string[]
}

/**
 * Changes what a client may prove itself with. Each resolves once it is done for this process; others on the store see
 * it within `maxAge`. Of changes at the same time, here or elsewhere, none is lost.
 *
 * Each rejects with {@link CredentialError} where it is refused (`unknown_client` for public clients too), with {@link
 * ConfigurationError} for an argument that is wrong, and with TemporarilyUnavailableError where the store does not
 * answer.
 */
export interface CredentialFunctions {
  /**
   * Gives a client one more secret, of 256 bits (384 where it uses `client_secret_jwt`). The others go on, or end when
   * `previousExpiresAt` says. A secret made before the client might use `client_secret_jwt` is not kept readable, and
   * does not do for it.
   */
  rotateSecret(client_id: string, options?: RotateSecretOptions): Promise<NewSecret>
  /** Takes over a secret that a person made up, of 8 to 1024 characters. Kept as scrypt makes of it. */
  importSecret(client_id: string, secret: string, options?: CredentialOptions): Promise<AddedCredential>
  /**
   * Takes over a secret of which there is only a hash, of `hashSecret()` or of a library that one of the `secretHashes`
   * knows. It is hashed anew, as scrypt does, when it is used.
   */
  importSecretHash(client_id: string, hash: string, options?: CredentialOptions): Promise<AddedCredential>
  /**
   * Adds a public key; where the client has it already, that is what this resolves to. Another key of the same kid is a
   * `duplicate`.
   */
  addKey(client_id: string, jwk: JWK, options?: CredentialOptions): Promise<AddedCredential>
  /** Adds a certificate in PEM, for `self_signed_tls_client_auth`, or a subject, for `tls_client_auth`. */
  addCertificate(
    client_id: string,
    certificate: string | CertificateSubject,
    options?: CredentialOptions
  ): Promise<AddedCredential>
  /**
   * Lets tokens of another platform prove the client, for `federated_jwt`; a rule the client has already is a
   * `duplicate`.
   */
  addFederated(client_id: string, rule: FederatedRule, options?: CredentialOptions): Promise<AddedCredential>
  /**
   * Lets workloads of this SPIFFE ID prove the client, for `spiffe_jwt` and `spiffe_x509`; ends in `/*` where any below
   * it will do.
   */
  addSpiffeId(client_id: string, spiffe_id: string, options?: CredentialOptions): Promise<AddedCredential>
  /** Lets a client use one more method. Never `none`: a client stays as confidential as it is. */
  allowMethod(client_id: string, method: string, options?: CredentialOptions): Promise<AddedCredential>
  /** Has a credential end, in seconds since the epoch and in the future, where it does not end sooner. */
  expireCredential(client_id: string, id: string, expires_at: number): Promise<void>
  /**
   * Takes a credential back, configured or added, for good: at once here, within `maxAge` elsewhere. One that is
   * configured comes back when its value is another. Does nothing where it was revoked before. Rejects with
   * `last_credential` where the client could not authenticate any more, unless forced. What the client added by it goes
   * on, and is what this resolves to; where it was stolen, that is revoked too.
   */
  revokeCredential(client_id: string, id: string, options?: RevokeCredentialOptions): Promise<RevokedCredentials>
  /** All there is to say of a client's credentials. Never a secret, or anything made from one. */
  listCredentials(client_id: string): Promise<readonly CredentialInfo[]>
  /**
   * Tells, and resolves to, `credential.expiring` for each credential that ends within 14 days and `credential.unused`
   * for each that was not used for 30 days while another of the client was. Clients that authenticate are reviewed once
   * a day without being asked.
   */
  review(client_id: string): Promise<readonly CredentialEvent[]>
}

const revoking = { force: flag(), stolen: flag() } satisfies Checks<RevokeCredentialOptions>

/** All there is to say of a client's credentials; see {@link CredentialFunctions.listCredentials}. */
async function listCredentials(context: CredentialFunctionsContext, client_id: string): Promise<readonly CredentialInfo[]> {
  const { records, uses, keeper } = context
  const client = await context.find(client_id)
  const { value: record } = await records.load(client_id)
  const described = describeCredentials(client, record, keeper, seconds(context))
  return Promise.all(
    described.map(async info => {
      const last_used_at = await uses.read(client_id, info.credential)
      return { ...info, ...(last_used_at !== undefined && { last_used_at }) }
    })
  )
}

/** Tells what there is to hear of a client's credentials; see {@link CredentialFunctions.review}. */
export async function review(context: CredentialFunctionsContext, client_id: string): Promise<readonly CredentialEvent[]> {
  const { issuer, uses } = context
  const now = seconds(context)
  const events = await reviewCredentials({ issuer, client_id, uses, now }, await listCredentials(context, client_id))
  for (const event of events) context.emit?.(event)
  return events
}

/** A function of a client, something and options, of what does that in a context. */
function adding<Given>(
  add: (
    context: CredentialFunctionsContext,
    client_id: string,
    given: Given,
    options: CredentialOptions
  ) => Promise<AddedCredential>
) {
  return (context: CredentialFunctionsContext) =>
    (client_id: string, given: Given, options: CredentialOptions = {}): Promise<AddedCredential> =>
      add(context, client_id, given, options)
}

/** Gives an object the functions: a server has them whether its credentials change while it runs or not. */
export const withCredentialFunctions = lazyMembers<CredentialFunctionsContext, CredentialFunctions>({
  rotateSecret:
    context =>
    (client_id, options = {}) =>
      rotateSecret(context, client_id, options),
  importSecret: adding(importSecret),
  importSecretHash: adding(importSecretHash),
  addKey: adding(addKey),
  addCertificate: adding(addCertificate),
  addFederated: adding(addFederated),
  addSpiffeId: adding(addSpiffeId),
  allowMethod: adding(allowMethod),
  expireCredential: context => async (client_id, id, expires_at) => {
    checkFuture(expires_at, 'expires_at', seconds(context))
    await endCredential(context, await context.find(client_id), id, { expires_at })
  },
  revokeCredential:
    context =>
    async (client_id, id, options = {}) => {
      const { force = false, stolen = false } = readOptions(options, revoking)
      const end = { revoked: true, force, stolen } as const
      const { ended, left } = await endCredential(context, await context.find(client_id), id, end)
      for (const one of ended) tell(context, 'credential.revoked', client_id, one)
      return { revoked: ended.map(one => one.id), descendants: left.map(one => one.id) }
    },
  listCredentials: context => client_id => listCredentials(context, client_id),
  review: context => client_id => review(context, client_id)
})
