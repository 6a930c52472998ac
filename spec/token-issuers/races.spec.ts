import { describe, expect, it } from '@jest/globals'
import { api, codeForm, harness, listening, redeemed, userinfo, type Form } from '../support/servers/authorization-server.ts'
import { fiftyTimes, type Answer } from '../support/clients/fifty.ts'

/** The same request of `web`, fifty times at once. */
const fifty = (address: string, form: Form) => fiftyTimes(address, 'web', form)

const refused = (answers: readonly Answer[]) => answers.filter(({ status }) => status !== 200)

describe('fifty at once', () => {
  it.each([
    ['opaque', {}],
    ['JWT', { resource: api }]
  ])('redeem one code (%s): one gets tokens, and those are dead', async (_, resource) => {
    const { app, server } = await harness()
    const answers = await listening(app, async address => fifty(address, { ...(await codeForm(app)), ...resource }))
    const good = answers.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    expect(new Set(refused(answers).map(({ status, body }) => `${status} ${String(body.error)}`))).toEqual(
      new Set(['400 invalid_grant'])
    )
    // the others are replays, and a replay ends what the code bought
    expect(await server.verifyAccessToken(String(good[0]?.body.access_token))).toBeUndefined()
    expect((await userinfo(app, String(good[0]?.body.access_token))).status).toBe(401)
  })

  it('refresh with one token and no retry window: one succeeds, and the family ends', async () => {
    const { app } = await harness({ refreshRetryWindow: 0 })
    const { refresh_token, access_token } = await redeemed(app)
    const answers = await listening(app, address => fifty(address, { grant_type: 'refresh_token', refresh_token }))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(refused(answers).map(({ status, body }) => `${status} ${String(body.error)}`))).toEqual(
      new Set(['400 invalid_grant'])
    )
    expect((await userinfo(app, access_token)).status).toBe(401)
  })

  it('refresh with one token within the retry window: all get the same successor, and it works', async () => {
    const { app } = await harness({ refreshRetryWindow: 10 })
    const { refresh_token } = await redeemed(app)
    const answers = await listening(app, address => fifty(address, { grant_type: 'refresh_token', refresh_token }))
    expect(refused(answers)).toEqual([])
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
    expect(answers[0]?.body.refresh_token).not.toBe(refresh_token)
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(50)
    for (const { body } of answers.slice(0, 5)) expect((await userinfo(app, String(body.access_token))).status).toBe(200)
    const next = await listening(app, address =>
      fifty(address, { grant_type: 'refresh_token', refresh_token: String(answers[0]?.body.refresh_token) })
    )
    expect(refused(next)).toEqual([])
  })

  it('refresh with a token that does not rotate: all keep it', async () => {
    const { app } = await harness({ refreshTokenRotation: 'never' })
    const { refresh_token } = await redeemed(app)
    const answers = await listening(app, address => fifty(address, { grant_type: 'refresh_token', refresh_token }))
    expect(new Set(answers.map(({ status, body }) => `${status} ${String(body.refresh_token)}`))).toEqual(
      new Set([`200 ${refresh_token}`])
    )
  })
})
