/** The option `shadow`, and the two ways to give it. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import {
  authenticateClient,
  builtInStrategies,
  ConfigurationError,
  memoryStore,
  NoneStrategy,
  oauthErrorHandler,
  PrivateKeyJwtStrategy,
  type ShadowDifference
} from '../../../lib/index.ts'
import { assertionClaims, askWith } from '../../support/clients/assertion-requests.ts'
import { harness, issuer } from '../../support/servers/authorization-server.ts'
import { parties, summary, tokenEndpoint, until } from '../../support/servers/shadowed.ts'

describe('the option', () => {
  const refusal = async (shadow: unknown): Promise<unknown> => {
    try {
      return await harness({ clients: parties.clients, shadow: shadow as never })
    } catch (error) {
      return error
    }
  }

  it.each([
    [{}, 'shadow.options must be an object'],
    [{ options: {} }, 'shadow.options must have at least one option to try'],
    [
      { options: { asertionAudience: 'issuer' } },
      'shadow.options.asertionAudience is not a known option; did you mean assertionAudience?'
    ],
    [{ options: { issuer } }, 'shadow.options.issuer is not a known option'],
    [{ options: { assertionAudience: 'strict' } }, 'shadow.options.assertionAudience must be'],
    [{ options: { clients: [{ client_id: '' }] } }, 'shadow.options.clients[0].client_id'],
    [{ options: { profile: 'fapi2-security' } }, 'shadow.options.clients['],
    [{ options: { basicEncoding: 'enforce' }, sample: 1.1 }, 'shadow.sample must be a number from 0 to 1'],
    [{ options: { basicEncoding: 'enforce' }, sample: '1' }, 'shadow.sample must be'],
    [{ options: { basicEncoding: 'enforce' }, onDifference: {} }, 'shadow.onDifference must be a function']
  ])('%j is refused at construction', async (shadow, message) => {
    const error = await refusal(shadow)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toContain(message)
  })

  it('does not go with a method that needs the HTTP request itself', () => {
    const clients = [{ client_id: 'app', token_endpoint_auth_method: 'none' }]
    const none = new NoneStrategy({ clients })
    const strategies = [Object.assign(Object.create(none) as NoneStrategy, { needsOnlyClientRequest: false })]
    expect(() => authenticateClient({ clients, strategies, shadow: { options: { clients: [...clients] } } })).toThrow(
      'shadow must be left out beside the strategy none'
    )
  })

  it('of a route takes strategies that keep what is used up where the live ones do', async () => {
    const store = memoryStore()
    const { clients } = parties
    const made = (assertionAudience: 'issuer' | 'legacy') =>
      new PrivateKeyJwtStrategy({ clients, issuer, store, assertionAudience, legacyAudiences: [tokenEndpoint] })
    const differences: ShadowDifference[] = []
    const app = express()
    app.post(
      '/oauth2/token',
      authenticateClient({
        clients,
        strategies: [made('legacy')],
        shadow: { options: { strategies: [made('issuer')] }, sample: 1, onDifference: one => differences.push(one) }
      }),
      (_req, res) => void res.json({})
    )
    app.use(oauthErrorHandler())
    const now = Math.floor(Date.now() / 1000)
    for (const aud of [issuer, tokenEndpoint])
      expect((await askWith(app, parties, 'signs', assertionClaims('signs', now, { aud }))).status).toBe(200)
    await until(() => differences.length > 0)
    expect(differences.map(summary)).toEqual([{ effect: 'would_break', client_id: 'signs', failed: [undefined, 'audience'] }])
  })

  it('judges by every built-in method that a request may carry', () => {
    const { clients } = parties
    const strategies = builtInStrategies({ clients, issuer, store: memoryStore() })
    expect(() => authenticateClient({ clients, strategies, shadow: { options: { strategies } } })).not.toThrow()
  })
})
