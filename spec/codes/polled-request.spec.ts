import { describe, expect, it } from '@jest/globals'
import {
  collectApproval,
  decideRequest,
  findPolledRequest,
  findUndecided,
  handOut,
  keepRequest,
  newPollingCode,
  type PersonDecision
} from '../../lib/codes/polled-request.ts'
import { tokens } from '../tokens/server.ts'

const approval = { sub: 'alice', auth_time: 1_799_999_000 }
const allow: PersonDecision = { decision: 'allow', approval }

async function waiting() {
  const { server, clock } = await tokens()
  const request = { client_id: 'web', scope: ['openid'], resources: [], expires_at: clock.now + 60_000, interval: 5 }
  const { code, reference } = newPollingCode(server, 'device_code', 'web')
  await keepRequest(server, reference, request)
  return { server, clock, code, found: { reference, request } }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (thrown: unknown) => (thrown as { error?: string }).error
  )

describe('a request that is decided somewhere else', () => {
  it('is found by its code and client, and by its reference, which gives the code away to nobody', async () => {
    const { server, code, found } = await waiting()
    expect(await findPolledRequest(server, 'device_code', code, 'web')).toEqual(found)
    expect(await findUndecided(server, found.reference)).toEqual(found)
    expect(JSON.stringify(found.reference)).not.toContain(code.split('.')[1])
    expect(await codeOf(findPolledRequest(server, 'device_code', code, 'other'))).toBe('invalid_grant')
    expect(await codeOf(findPolledRequest(server, 'auth_req_id', code, 'web'))).toBe('invalid_grant')
  })

  it('is decided once, for good', async () => {
    const { server, found } = await waiting()
    expect(await decideRequest(server, found, { decision: 'deny' })).toBe(true)
    expect(await decideRequest(server, found, allow)).toBe(false)
    expect(await findUndecided(server, found.reference)).toBeUndefined()
    expect(await codeOf(collectApproval(server, found))).toBe('access_denied')
  })

  it('stays decided when its tokens have been handed out', async () => {
    const { server, found } = await waiting()
    await decideRequest(server, found, allow)
    expect(await collectApproval(server, found)).toEqual(approval)
    expect(await decideRequest(server, found, allow)).toBe(false)
    expect(await handOut(server, found)).toBe(false)
    expect(await codeOf(collectApproval(server, found))).toBe('invalid_grant')
  })

  it('is not decided any more once it has expired, and an approval then is worth nothing', async () => {
    const { server, clock, found } = await waiting()
    clock.now = found.request.expires_at - 1
    expect(await decideRequest(server, found, allow)).toBe(true)
    clock.now += 1
    expect(await codeOf(collectApproval(server, found))).toBe('expired_token')
    const late = await waiting()
    late.clock.now = late.found.request.expires_at
    expect(await decideRequest(late.server, late.found, allow)).toBe(false)
    expect(await findUndecided(late.server, late.found.reference)).toBeUndefined()
  })

  it('ends with its grant', async () => {
    const { server, code, found } = await waiting()
    await decideRequest(server, found, allow)
    await server.store.deleteGrant(found.reference.grant)
    expect(await codeOf(findPolledRequest(server, 'device_code', code, 'web'))).toBe('invalid_grant')
    expect(await decideRequest(server, found, allow)).toBe(false)
  })
})
