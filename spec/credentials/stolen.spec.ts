/** What becomes of what a thief added to a client, by whatever it was added. */
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { CredentialEvent, ServerEvent } from '../../lib/index.ts'
import { basic, harness, type Form, type Harness } from '../support/servers/authorization-server.ts'
import { made } from '../support/servers/credential-sets.ts'

interface Added {
  readonly id: string
  readonly credential: string
  readonly client_secret: string
}

async function serve() {
  const events: CredentialEvent[] = []
  const onEvent = (event: ServerEvent) => {
    if (event.type === 'credential.added' || event.type === 'credential.revoked') events.push(event)
  }
  return { ...(await harness({ credentials: { endpoint: true }, onEvent })), events }
}

const ask = ({ app }: Harness, form: Form, secret?: string) =>
  request(app).post('/oauth2/credentials').type('form').set('Authorization', basic('web', secret)).send(form)
const rotate = async (world: Harness, secret?: string) =>
  (await ask(world, { action: 'rotate_secret' }, secret).expect(200)).body as Added
const works = async ({ app }: Harness, secret: string) => {
  const asked = request(app).post('/oauth2/token').type('form').set('Authorization', basic('web', secret))
  return (await asked.send({ grant_type: 'client_credentials' })).status === 200
}

describe('a secret that was stolen', () => {
  it('takes with it what was added by it, and by that; what the operator added stays', async () => {
    const world = await serve()
    const { credentials } = world.server
    const own = await credentials.rotateSecret('web')
    const first = await rotate(world)
    const second = await rotate(world, first.client_secret)
    expect(await credentials.listCredentials('web')).toMatchObject([
      { id: '1' },
      { credential: 'method:client_secret_basic' },
      { id: own.id },
      { id: first.id, added_by: 'secret:1' },
      { id: second.id, added_by: first.credential }
    ])
    world.events.splice(0)
    expect(await credentials.revokeCredential('web', '1', { stolen: true })).toEqual({
      revoked: ['1', first.id, second.id],
      descendants: []
    })
    expect(world.events.map(({ type, credential }) => `${type} ${credential}`)).toEqual([
      'credential.revoked secret:1',
      `credential.revoked ${first.credential}`,
      `credential.revoked ${second.credential}`
    ])
    for (const { client_secret } of [first, second]) expect(await works(world, client_secret)).toBe(false)
    expect(await works(world, own.client_secret)).toBe(true)
  })

  it('is told apart from one that was replaced: what it added goes on, and is named', async () => {
    const world = await serve()
    const first = await rotate(world)
    const second = await rotate(world, first.client_secret)
    const { credentials } = world.server
    const { revoked, descendants } = await credentials.revokeCredential('web', '1')
    expect([revoked, descendants]).toEqual([['1'], [first.id, second.id]])
    expect(await works(world, second.client_secret)).toBe(true)
    // the theft is found out later: what was revoked long ago still says what came of it
    await expect(credentials.revokeCredential('web', '1', { stolen: true })).rejects.toMatchObject({ code: 'last_credential' })
    const after = await credentials.revokeCredential('web', '1', { stolen: true, force: true })
    expect(after).toEqual({ revoked: [first.id, second.id], descendants: [] })
    expect(await credentials.revokeCredential('web', '1', { stolen: true })).toEqual({ revoked: [], descendants: [] })
  })

  it('may be reported by the client itself', async () => {
    const world = await serve()
    const own = await world.server.credentials.rotateSecret('web')
    const first = await rotate(world)
    const plain = await ask(world, { action: 'revoke', id: '1' }, own.client_secret)
    expect(plain.body).toEqual({ id: '1', revoked: ['1'], descendants: [first.id] })
    const wrong = await ask(world, { action: 'revoke', id: '1', stolen: 'yes' }, own.client_secret)
    expect(wrong.body).toMatchObject({ error: 'invalid_request' })
    const stolen = await ask(world, { action: 'revoke', id: '1', stolen: 'true' }, own.client_secret)
    expect(stolen.body).toEqual({ id: '1', revoked: [first.id], descendants: [] })
  })

  it('is told with what it added', async () => {
    const world = await serve()
    const first = await rotate(world)
    expect(world.events).toMatchObject([{ type: 'credential.added', credential: first.credential, added_by: 'secret:1' }])
    await world.server.credentials.rotateSecret('web')
    expect(world.events.at(-1)).not.toHaveProperty('added_by')
  })
})

it('what a forgotten credential added is known to come of what that one came of', async () => {
  const { sets, time } = made()
  const expires_at = time.now / 1000 + 10
  const between = await sets.rotateSecret('billing', { addedBy: 'secret:1', expires_at })
  const last = await sets.rotateSecret('billing', { addedBy: between.credential })
  time.now += 60_000
  for (let count = 0; count < 60; count++) {
    const { id } = await sets.rotateSecret('billing')
    await sets.revokeCredential('billing', id)
  }
  expect((await sets.listCredentials('billing')).some(({ id }) => id === between.id)).toBe(false)
  expect((await sets.revokeCredential('billing', '1', { stolen: true, force: true })).revoked).toEqual(['1', last.id])
})

it.each<[string, object]>([
  ['stolen', { stolen: 'yes' }],
  ['force', { force: 1 }],
  ['stolne', { stolne: true }]
])('a wrong %s is refused by name', async (key, options) => {
  const { sets } = made()
  await expect(sets.revokeCredential('billing', '1', options)).rejects.toMatchObject({ name: 'ConfigurationError', key })
})

it.each(['', 5, 'a\nb', 'x'.repeat(513)])('added by %j is by nothing there is', async addedBy => {
  const { sets } = made()
  await expect(sets.rotateSecret('billing', { addedBy: addedBy as string })).rejects.toMatchObject({ key: 'addedBy' })
})
