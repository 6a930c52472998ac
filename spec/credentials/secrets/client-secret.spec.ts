import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { toClient, type Client, type ClientMetadata } from '../../../lib/clients/client.ts'
import { secretChecks, verifyClientSecret } from '../../../lib/credentials/secrets/client-secret.ts'
import { DecisionBuilder } from '../../../lib/decisions/builder.ts'
import type { Decision } from '../../../lib/decisions/decision.ts'
import { InvalidClientError } from '../../../lib/errors.ts'

const secret = 'correct horse battery staple ünd mehr'
const expiry = 2_000_000_000
const beforeExpiry = () => expiry * 1000 - 1
const atExpiry = () => expiry * 1000

const clientWith = (metadata: Partial<ClientMetadata> = {}): Client =>
  toClient({ client_id: 'billing', client_secret: secret, ...metadata })
const publicClient = toClient({ client_id: 'spa', token_endpoint_auth_method: 'none' })

interface Outcome {
  readonly credential?: string
  readonly error?: InvalidClientError
  readonly decision: Decision
}

/** No client of this file has a secret that a person made up: what is compared is compared at once. */
function atOnce<T>(result: T | Promise<T>): T {
  if (result instanceof Promise) throw new Error('scrypt was asked')
  return result
}

function verify(client: Client | undefined, presented: string, clock: () => number = Date.now): Outcome {
  const decision = new DecisionBuilder('token')
  decision.announce(secretChecks)
  try {
    const { credential } = atOnce(verifyClientSecret(client, { presented }, { clock, decision }))
    return { credential, decision: decision.finish('authenticated') }
  } catch (error) {
    if (!(error instanceof InvalidClientError) || error.decision === undefined) throw error
    return { error, decision: error.decision }
  }
}

const outcomes = ({ checks }: Decision) => checks.map(({ check, outcome }) => `${check}: ${outcome}`)
const wire = ({ error }: Outcome) => JSON.stringify({ status: error?.status, headers: error?.headers, body: error })

describe('verifyClientSecret', () => {
  it('passes the right secret and says which it was', () => {
    const { credential, decision } = verify(clientWith(), secret)
    expect(credential).toBe('secret:1')
    expect(outcomes(decision)).toEqual(['secret: pass', 'secret_expiry: pass'])
  })

  it.each([
    ['another', 'wrong'],
    ['an empty one', ''],
    ['a prefix', secret.slice(0, -1)],
    ['a longer one', `${secret} `],
    ['one in another case', secret.toUpperCase()],
    ['one composed differently', secret.normalize('NFD')]
  ])('refuses %s', (_, presented) => {
    const { error, decision } = verify(clientWith(), presented)
    expect(error?.status).toBe(401)
    expect(outcomes(decision)).toEqual(['secret: fail', 'secret_expiry: skipped'])
    expect(decision.checks[0]).toMatchObject({
      section: 'RFC 6749 §2.3.1',
      fix: expect.stringContaining('does not match any live secret of this client')
    })
  })

  describe('expiry', () => {
    it('passes until the moment of client_secret_expires_at and refuses from then on', () => {
      const client = clientWith({ client_secret_expires_at: expiry })
      expect(verify(client, secret, beforeExpiry).credential).toBe('secret:1')
      const { decision } = verify(client, secret, atExpiry)
      expect(outcomes(decision)).toEqual(['secret: pass', 'secret_expiry: fail'])
      expect(decision.checks[1]).toMatchObject({
        section: 'RFC 7591 §3.2.1',
        received: 'secret:1',
        fix: expect.stringContaining('client_secret_expires_at')
      })
    })

    it('does not say that a wrong secret has expired', () => {
      expect(outcomes(verify(clientWith({ client_secret_expires_at: expiry }), 'wrong', atExpiry).decision)).toEqual([
        'secret: fail',
        'secret_expiry: skipped'
      ])
    })

    it('never comes with an expiry of 0', () => {
      expect(verify(clientWith({ client_secret_expires_at: 0 }), secret, atExpiry).credential).toBe('secret:1')
    })
  })

  describe('length', () => {
    const longest = 'x'.repeat(1024)

    it('reads a secret of 1024 characters whole', () => {
      expect(verify(clientWith({ client_secret: longest }), longest).credential).toBe('secret:1')
      expect(verify(clientWith({ client_secret: longest }), `${longest.slice(0, -1)}y`).error).toBeDefined()
    })

    it('refuses a longer one like any wrong one, also where it begins with the right one', () => {
      const client = clientWith({ client_secret: longest })
      for (const presented of [`${longest}x`, 'x'.repeat(1_048_576)]) {
        expect(outcomes(verify(client, presented).decision)).toEqual(['secret: fail', 'secret_expiry: skipped'])
      }
    })

    it('takes no part of a longer registered secret for the whole', () => {
      const client = clientWith({ client_secret: `${longest}tail` })
      expect(verify(client, longest).error).toBeDefined()
      expect(verify(client, `${longest}tail`).error).toBeDefined()
    })
  })

  describe('the same answer for every refused client', () => {
    const refused: [string, Outcome][] = [
      ['a wrong secret', verify(clientWith(), 'wrong')],
      ['an expired secret', verify(clientWith({ client_secret_expires_at: expiry }), secret, atExpiry)],
      ['an unknown client', verify(undefined, secret)],
      ['a client without a secret', verify(publicClient, secret)],
      ['a client without a secret that sends none', verify(publicClient, '')],
      ['a secret of 1 MiB', verify(clientWith(), 'x'.repeat(1_048_576))],
      ['an unknown client with a secret of 1 MiB', verify(undefined, 'x'.repeat(1_048_576))]
    ]

    it.each(refused)('is sent for %s', (_, outcome) => {
      expect(wire(outcome)).toBe(wire({ error: new InvalidClientError(), decision: outcome.decision }))
    })

    it('comes with a record of the same shape for an unknown client: the comparison was made, and failed', () => {
      const [known, unknown] = [verify(clientWith(), 'wrong').decision, verify(undefined, 'wrong').decision]
      expect(outcomes(unknown)).toEqual(outcomes(known))
      expect(unknown.checks.map(check => Object.keys(check))).toEqual(known.checks.map(check => Object.keys(check)))
    })

    it('tells the operator alone that the client is unknown', () => {
      expect(verify(undefined, 'wrong').error?.reason).toContain('No client has this client_id')
    })
  })

  it('has no secret in any record or error', () => {
    const wrong = 'presented-but-wrong'
    for (const outcome of [
      verify(clientWith(), wrong),
      verify(clientWith({ client_secret_expires_at: expiry }), secret, atExpiry),
      verify(clientWith(), secret)
    ]) {
      const text = inspect(outcome, { depth: Infinity, showHidden: true }) + JSON.stringify(outcome)
      expect(text).not.toContain(wrong)
      expect(text).not.toContain(secret)
    }
  })
})
