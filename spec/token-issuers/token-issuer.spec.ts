import { describe, expect, it } from '@jest/globals'
import { clientCredentials, InvalidGrantError, requestedScope, requiredParameter, type TokenIssuer } from '../../lib/index.ts'
import { harness, registeredFor, token } from '../support/servers/authorization-server.ts'

const nothing: unknown = undefined
const word: unknown = 'router'
const rejecting = (reason: unknown) => new Promise<never>((_resolve, reject: (error: Error) => void) => reject(reason as Error))

describe('a token issuer of the application', () => {
  const voucher: TokenIssuer = {
    grant_type: 'urn:example:voucher',
    confidential: true,
    issue(given, server) {
      const sub = requiredParameter(given, 'voucher')
      if (sub === 'refused') throw new InvalidGrantError('this voucher is not valid', { reason: 'private' })
      return server.respond(given, {
        client_id: given.client.client_id,
        sub,
        scope: requestedScope(given, server),
        resources: []
      })
    }
  }
  const patron = { client_id: 'patron', client_secret: 'secret of patron', grant_types: ['urn:example:voucher'] }
  const guest = { client_id: 'spa', token_endpoint_auth_method: 'none', grant_types: [] }
  const voucherApp = (issue: TokenIssuer['issue'] = (given, server) => voucher.issue(given, server)) =>
    harness({
      tokenIssuers: [clientCredentials(), { ...voucher, issue }],
      clients: [...registeredFor(['client_credentials']).filter(({ client_id }) => client_id !== 'spa'), patron, guest]
    })
  const form = { grant_type: 'urn:example:voucher', voucher: 'bob', scope: 'api:read' }

  it('is one object', async () => {
    const { app } = await voucherApp()
    expect(await token(app, 'patron', form)).toMatchObject({ status: 200, body: { scope: 'api:read', token_type: 'Bearer' } })
    expect(await token(app, 'patron', { ...form, voucher: 'refused' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'this voucher is not valid' }
    })
    expect(await token(app, 'patron', { ...form, voucher: '' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'voucher is missing' }
    })
    expect(await token(app, 'patron', { ...form, scope: 'api:admin' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' }
    })
    expect(await token(app, 'spa', form)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
    expect(await token(app, 'web', form)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
  })

  it.each<[string, TokenIssuer['issue']]>([
    [
      'throws',
      () => {
        throw new Error('connection to 10.0.0.7 with hunter2')
      }
    ],
    ['rejects', () => Promise.reject(new Error('connection to 10.0.0.7 with hunter2'))],
    ['rejects with a status that is not ours', () => Promise.reject(Object.assign(new Error('hunter2'), { status: 404 }))],
    ['rejects with nothing', () => rejecting(nothing)],
    ['rejects with a word Express knows', () => rejecting(word)],
    ['answers nothing', () => Promise.resolve(nothing as { access_token: string; token_type: string })],
    ['answers what JSON cannot hold', () => Promise.resolve({ access_token: 'hunter2', token_type: 'x', size: 1n })]
  ])('is a 500 that says nothing where it %s', async (_, issue) => {
    const { app, errors } = await voucherApp(issue)
    const response = await token(app, 'patron', form)
    expect([response.status, response.body]).toEqual([
      500,
      { error: 'server_error', error_description: 'the server met an error' }
    ])
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
    expect(response.text).not.toContain('hunter2')
    expect(errors).toHaveLength(1)
  })
})
