import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { Key, Store } from '../../lib/stores/store.ts'
import { breakableStore } from '../support/servers/authorization-server.ts'
import { day, made, watched } from '../support/servers/credential-sets.ts'

describe('the clients', () => {
  it('are the same objects for as long as nothing changes', async () => {
    const { sets, time } = made()
    const untouched = await sets.clients.find('keyed')
    await sets.rotateSecret('billing')
    const changed = await sets.clients.find('billing')
    for (let round = 0; round < 3; round++) {
      time.now += 3000
      expect(await sets.clients.find('billing')).toBe(changed)
      expect(await sets.clients.find('keyed')).toBe(untouched)
    }
    await sets.rotateSecret('billing')
    expect(await sets.clients.find('billing')).not.toBe(changed)
  })

  it('cost no store operation in the steady state, and somebody who is none costs what a client does', async () => {
    let reads = 0
    const store: Store = watched(memoryStore(), 'get', () => reads++)
    const { sets, time } = made({ store })
    for (let round = 0; round < 100; round++)
      await Promise.all([sets.clients.find('billing'), sets.clients.find('nobody'), sets.clients.find('spa')])
    expect(reads).toBe(2)
    time.now -= 3_600_000
    await sets.clients.find('billing')
    // a clock that was put back makes nothing younger
    expect(reads).toBe(3)
  })

  it('are not found where the store does not answer, once what is known is too old', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { sets, time } = made({ store })
    await sets.clients.find('billing')
    broken.set('get', 'rejects')
    time.now += 4000
    expect(await sets.clients.find('billing')).toBeDefined()
    time.now += 2000
    await expect(sets.clients.find('billing')).rejects.toMatchObject({ status: 503 })
    broken.clear()
    expect(await sets.clients.find('billing')).toBeDefined()
  })
})

describe('review', () => {
  const settled = () => new Promise(resolve => setTimeout(resolve, 20))

  it('tells what ends within 14 days, and what nobody used for 30 days while another was', async () => {
    const world = made()
    const { sets, time, seconds, events } = world
    const use = async () => {
      const client = await sets.clients.find('billing')
      if (client !== undefined) sets.clients.used?.(client, 'client_secret_basic', [credential])
      await settled()
    }
    await sets.review('billing')
    const { credential, id } = await sets.rotateSecret('billing', { expires_at: seconds() + 44 * day, label: 'new' })
    events.length = 0
    time.now += 31 * day * 1000
    await use()
    expect(events.map(({ type, ...rest }) => [type, 'credential' in rest && rest.credential])).toEqual([
      ['credential.unused', 'secret:1'],
      ['credential.expiring', `secret:${id}`]
    ])
    const listed = await sets.listCredentials('billing')
    expect(listed.find(info => info.id === id)).toMatchObject({ last_used_at: seconds(), label: 'new', state: 'live' })
    events.length = 0
    time.now += 3600_000
    await use()
    expect(events).toEqual([])
    expect(await sets.review('billing')).toHaveLength(2)
  })

  it('records a use once a minute, and again when the clock was put back', async () => {
    const uses: string[] = []
    const store: Store = watched(memoryStore(), 'set', key => uses.push((key as Key).kind))
    const { sets, time } = made({ store })
    const use = async () => {
      const client = await sets.clients.find('billing')
      if (client !== undefined) sets.clients.used?.(client, 'client_secret_basic', ['secret:1', 'secret:made up'])
      await settled()
      return uses.splice(0).length
    }
    expect([await use(), await use()]).toEqual([2, 0])
    time.now += 60_000
    expect(await use()).toBe(2)
    time.now -= 3_600_000
    expect(await use()).toBe(2)
  })
})

it('a listener that throws changes nothing', async () => {
  const { sets, opens } = made({
    onEvent: () => {
      throw new Error('no')
    }
  })
  const { client_secret, credential } = await sets.rotateSecret('billing')
  expect(await opens('billing', client_secret)).toBe(credential)
})

it.each<[string, object]>([
  ['maxAge', { maxAge: -1 }],
  ['methods', { methods: ['none'] }],
  ['onEvent', { onEvent: 'console' }],
  ['maxage', { maxage: 5 }]
])('a wrong %s is refused at construction', (key, options) => {
  expect(() => made(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError', key }))
})

it('random bytes are asked of whoever hands them in', async () => {
  const { sets } = made({ random: size => Buffer.concat([randomBytes(size)]) })
  await sets.rotateSecret('billing')
  expect(await sets.listCredentials('billing')).toHaveLength(3)
})
