/**
 * Verifies request objects (RFC 9101 §4, §6; FAPI 2.0 Message Signing §5.3.1): authorization requests as JWTs their
 * client signed.
 */
import type { Client } from '../clients/client.ts'
import { DecisionBuilder } from '../decisions/builder.ts'
import { InvalidClientError, OAuthError } from '../errors.ts'
import type { Clock } from '../client-request.ts'
import { hasForbiddenCharacter } from '../http/form.ts'
import { asymmetricAlgorithms, isAccepted, sameAlgorithm } from '../client-keys/algorithms.ts'
import type { ClientKeys } from '../client-keys/client-keys.ts'
import { claimsSignedBy, decodeUnverified, isNumericDate, typeOf } from './compact-jws.ts'
import { asList, type JsonObject } from '../json.ts'

interface RequestObjectInput {
  /**
   * The kind of request made with it; one for backchannel authentication needs `iat` and `jti` too, and no `client_id`
   * (CIBA Core §7.1.1).
   */
  readonly use: 'authorization' | 'backchannel_authentication'
  readonly request: string
  /** The client whose request it must be: the one that was authenticated, or named beside it. */
  readonly client: Client
  /** The issuer identifier, which `aud` must contain. */
  readonly issuer: string
  readonly clientKeys: ClientKeys
  /** The algorithms accepted of clients that registered none. Symmetric ones and `none` never are. */
  readonly algorithms: readonly string[]
  /** Requires `nbf` and `exp`, and an hour between now, them and each other at most. */
  readonly strict: boolean
  readonly clock: Clock
}

/** Seconds a client's clock may be off. */
const tolerance = 10
const longestLife = 3600
const acceptedTypes: readonly string[] = ['jwt', 'oauth-authz-req+jwt']

/**
 * The claims of a request object that passes every check: signed with a key of this client, `iss` and `client_id` are
 * the client, `aud` contains this issuer, and now is between `nbf` and `exp`.
 *
 * @throws OAuthError `invalid_request_object`, the reason for the operator in it. {@link TemporarilyUnavailableError}
 * passes.
 */
export async function verifyRequestObject(input: RequestObjectInput): Promise<JsonObject> {
  const jws = decodeUnverified(input.request)
  if (jws.outcome === 'malformed') throw invalidRequestObject('the request object is no signed JWT', jws.reason)
  const { crit, kid, typ } = jws.header
  if (crit !== undefined || (kid !== undefined && typeof kid !== 'string'))
    throw invalidRequestObject('the request object has a header that is not understood')
  if (typ !== undefined && !acceptedTypes.some(accepted => accepted === typeOf(typ)))
    throw invalidRequestObject('the request object has the typ of another kind of JWT')
  const claims = await checkSignature(input, readAlgorithm(input, jws.header['alg']), kid)
  checkParties(claims, input)
  checkTimes(claims, input)
  return claims
}

/** The parameters that can be inside, and those that a number or JSON may stand for. */
export interface ClaimedParameters {
  readonly names: ReadonlySet<string>
  /** Whether a number stands for this parameter. */
  readonly isNumber: (name: string, value: number) => boolean
  /** Whether JSON stands for this parameter, as JSON in a string does (RFC 9101 §4). */
  readonly isJson: (name: string, value: object) => boolean
}

/**
 * Claims as the parameters they stand for; those of the JWT itself and unknown ones are no parameters.
 *
 * @throws OAuthError `invalid_request_object` for one that is no parameter's value, or another request.
 */
export function* parametersOf(claims: JsonObject, known: ClaimedParameters): Iterable<readonly [name: string, value: string]> {
  for (const [name, value] of Object.entries(claims)) {
    if (!known.names.has(name)) continue
    if (name === 'request' || name === 'request_uri') throw invalidRequestObject(`${name} is not allowed in the request object`)
    const values: readonly unknown[] = name === 'resource' && Array.isArray(value) ? value : [value]
    for (const item of values) {
      const text = textOf(name, item, known)
      if (text === undefined || hasForbiddenCharacter(text))
        throw invalidRequestObject(`${name} in the request object is malformed`)
      yield [name, text]
    }
  }
}

function textOf(name: string, value: unknown, { isNumber, isJson }: ClaimedParameters): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return isNumber(name, value) ? String(value) : undefined
  return typeof value === 'object' && value !== null && isJson(name, value) ? textOfJson(value) : undefined
}

function textOfJson(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // nested so deeply that it cannot be written
    return undefined
  }
}

/** The error of a request object that is refused (RFC 9101 §7). */
function invalidRequestObject(description: string, reason?: string): OAuthError {
  return new OAuthError('invalid_request_object', 400, description, reason === undefined ? {} : { reason })
}

function readAlgorithm({ use, client, algorithms }: RequestObjectInput, alg: unknown): string {
  const registered =
    use === 'authorization' ? client.request_object_signing_alg : client.backchannel_authentication_request_signing_alg
  const allowed = registered === undefined ? algorithms : algorithms.filter(candidate => sameAlgorithm(candidate, registered))
  if (isAccepted(alg, allowed) && asymmetricAlgorithms.has(alg)) return alg
  throw invalidRequestObject(
    'the request object is signed with an algorithm that is not accepted',
    `allowed: ${allowed.join(', ')}`
  )
}

async function checkSignature(input: RequestObjectInput, alg: string, kid: string | undefined): Promise<JsonObject> {
  const { request, client, clientKeys: keys } = input
  const candidates = await keys.find(client, { alg, kid }, new DecisionBuilder('authorization')).catch((error: unknown) => {
    if (!(error instanceof InvalidClientError)) throw error
    throw invalidRequestObject('the request object is not signed with a key of the client', error.reason)
  })
  for (const { key } of candidates) {
    const claims = await claimsSignedBy(request, key, alg)
    if (claims !== undefined) return claims
  }
  throw invalidRequestObject('the request object is not signed with a key of the client', 'no candidate key made the signature')
}

function checkParties({ iss, sub, aud, client_id }: JsonObject, { use, client, issuer }: RequestObjectInput): void {
  if (iss !== client.client_id) throw invalidRequestObject('iss in the request object must be the client_id')
  const mayBeLeftOut = use === 'backchannel_authentication' && client_id === undefined
  if (client_id !== client.client_id && !mayBeLeftOut)
    throw invalidRequestObject('client_id in the request object must be that of the client that asks')
  // RFC 9101 §10.8: what was signed to authenticate a client is no request
  if (sub === client.client_id) throw invalidRequestObject('sub in the request object must not be the client_id')
  const audiences = asList(aud)
  if (!audiences.includes(issuer)) throw invalidRequestObject('aud in the request object must be the issuer')
}

function checkTimes({ exp, nbf, iat }: JsonObject, { use, strict, clock }: RequestObjectInput): void {
  const now = clock() / 1000
  for (const [name, value] of Object.entries({ exp, nbf, iat })) {
    if (value !== undefined && !isNumericDate(value))
      throw invalidRequestObject(`${name} in the request object must be a number of seconds`)
    if (strict && value === undefined && (name !== 'iat' || use === 'backchannel_authentication'))
      throw invalidRequestObject(`${name} is missing in the request object`)
  }
  if (isNumericDate(exp) && exp + tolerance <= now) throw invalidRequestObject('the request object has expired')
  if (isNumericDate(nbf) && nbf > Math.ceil(now) + tolerance) throw invalidRequestObject('the request object is not valid yet')
  if (!strict || !isNumericDate(nbf) || !isNumericDate(exp)) return
  if (nbf + longestLife + tolerance < now) throw invalidRequestObject('nbf in the request object is more than 60 minutes ago')
  if (exp > nbf + longestLife) throw invalidRequestObject('exp in the request object is more than 60 minutes after nbf')
}
