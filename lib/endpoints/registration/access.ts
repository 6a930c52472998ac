/** Access to registering and managing registrations: bearer tokens (RFC 6750), in the Authorization header alone. */
import type { Request } from 'express'
import { isEqual } from '../../crypto/comparison.ts'
import { sha256 } from '../../crypto/sha256.ts'
import { OAuthError, TemporarilyUnavailableError, TooManyAttemptsError } from '../../errors.ts'
import { refuseRepeatedAuthorization } from '../../http/client-request.ts'
import { networkOf } from '../../http/network.ts'
import { tokenDigest } from '../../tokens/grant.ts'
import { traceIdOf } from '../../http/trace.ts'
import type { Registration } from './options.ts'
import type { Registrar } from './record.ts'

/**
 * Lets whoever may register pass (RFC 7591 §3): anyone, or the holder of an initial access token, which is returned.
 *
 * @throws OAuthError `invalid_token` 401; TooManyAttemptsError 429 for a network that keeps guessing;
 * TemporarilyUnavailableError where the application's own check fails.
 */
export async function checkInitialAccess(registrar: Registrar, req: Request): Promise<string | undefined> {
  const { registration } = registrar
  if (registration.access === 'open') return undefined
  const token = bearerToken(req)
  if (token === undefined) throw invalidToken(req, 'registering here needs an initial access token')
  await guarded(registrar, req, 'initial access token', async () => {
    if (!(await isInitialAccessToken(registration, token))) throw invalidToken(req, 'no such initial access token')
  })
  return token
}

/**
 * Judges a token while it holds a place among the guesses of its network, and counts it where it is refused with 401.
 *
 * @param what is guessed.
 * @throws what `judge` throws, or TooManyAttemptsError in its place.
 */
export async function guarded<T>(
  { context, registration }: Registrar,
  req: Request,
  what: string,
  judge: () => Promise<T>
): Promise<T> {
  const { guesses } = registration
  if (guesses === undefined) return judge()
  const network = networkOf(req)
  try {
    // no client has such a client_id, because none can be sent
    const guess = await guesses.reserve(`\0${what}`, network)
    try {
      return await judge()
    } catch (error) {
      throw isRefusedToken(error) ? ((await guess.wrong()) ?? error) : error
    } finally {
      guess.release()
    }
  } catch (error) {
    if (error instanceof TooManyAttemptsError) {
      const trace_id = traceIdOf(req)
      context.server.emit?.({ type: 'guesses.exceeded', trace_id, endpoint: 'registration', network })
    }
    throw error
  }
}

function isRefusedToken(error: unknown): error is OAuthError {
  return error instanceof OAuthError && error.error === 'invalid_token'
}

async function isInitialAccessToken(
  { initialAccessTokens, checkInitialAccessToken }: Registration,
  token: string
): Promise<boolean> {
  const digest = sha256(token)
  let known = false
  // no early end: how many were compared must not show which one it was
  for (const accepted of initialAccessTokens) known = isEqual(digest, accepted) || known
  return known || (await ask(checkInitialAccessToken, token))
}

async function ask(check: Registration['checkInitialAccessToken'], token: string): Promise<boolean> {
  if (check === undefined) return false
  try {
    const answer: unknown = await check(token)
    // anything else than true is no yes: an application may answer with what it found
    return answer === true
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new TemporarilyUnavailableError({ reason: 'checkInitialAccessToken failed; see the cause', cause })
  }
}

/** A digest that no token has. */
const nobodys = Buffer.alloc(32)

/** Whether a token is the one of this digest, at the same cost for a registration that is not there. */
export function isRegistrationAccessToken(token: string, digest: string | undefined): boolean {
  const expected = digest === undefined ? nobodys : Buffer.from(digest, 'base64url')
  const presented = Buffer.from(tokenDigest(token), 'base64url')
  return isEqual(presented, expected) && digest !== undefined
}

/** The one bearer token of a request. @throws InvalidRequestError for a repeated header. */
export function bearerToken(req: Request): string | undefined {
  refuseRepeatedAuthorization(req)
  return /^bearer +([\x21-\x7e]+)$/i.exec(req.headers.authorization ?? '')?.[1]
}

/** 401, with the challenge of RFC 6750 §3: no error code for a request that carried nothing to be wrong. */
export function invalidToken(req: Request, reason: string): OAuthError {
  const description = 'the access token is not valid'
  const error = !/^bearer +\S/i.test(req.headers.authorization ?? '')
    ? ''
    : ` error="invalid_token", error_description="${description}"`
  return new OAuthError('invalid_token', 401, description, { reason, headers: { 'WWW-Authenticate': `Bearer${error}` } })
}
