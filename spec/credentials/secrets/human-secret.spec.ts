import { scryptSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { toClient } from '../../../lib/clients/client.ts'
import { verifyClientSecret } from '../../../lib/credentials/secrets/client-secret.ts'
import { findHash, hashSecret, isCurrentHash, saltOf } from '../../../lib/credentials/secrets/human-secret.ts'
import { DecisionBuilder } from '../../../lib/decisions/builder.ts'

const hash = await hashSecret('correct horse')

/** What an earlier day would have kept. */
function older(secret: string): string {
  const salt = Buffer.alloc(16, 7)
  const key = scryptSync(secret, salt, 32, { N: 2 ** 10, r: 8, p: 1 })
  return `$scrypt$ln=10,r=8,p=1$${salt.toString('base64url')}$${key.toString('base64url')}`
}

describe('findHash', () => {
  it('finds which of several a secret has, of whatever parameters', async () => {
    const hashes = [hash, older('battery staple')]
    expect(await findHash(hashes, 'correct horse')).toBe(0)
    expect(await findHash(hashes, 'battery staple')).toBe(1)
    for (const wrong of ['', 'correct hors', 'Correct horse', hash]) expect(await findHash(hashes, wrong)).toBeUndefined()
  })

  it('computes once for what it has found right before, and for each wrong one', async () => {
    const begun = performance.now()
    await findHash([hash], 'wrong')
    const once = performance.now() - begun
    const again = performance.now()
    for (let round = 0; round < 100; round++) expect(await findHash([hash], 'correct horse')).toBe(0)
    // a hundred computations would take a hundred times as long
    expect(performance.now() - again).toBeLessThan(once * 20)
  })

  it('takes nothing for a match where nobody has such a secret, or what is kept is none', async () => {
    expect(await findHash([], 'correct horse')).toBeUndefined()
    expect(await findHash(['$scrypt$ln=14,r=8,p=5$AAAA$AAAA', 'x'], 'correct horse')).toBeUndefined()
  })

  it('says that it has too much to do before a queue grows without end', async () => {
    const kept = [older('x')]
    const asked = await Promise.allSettled(Array.from({ length: 120 }, (_, index) => findHash(kept, `wrong ${index}`)))
    const refused = asked.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(18)
    expect(refused[0]).toMatchObject({ reason: { status: 503 } })
    expect(await findHash(kept, 'x')).toBe(0)
  })
})

it('hashes say what they were made with', () => {
  expect(isCurrentHash(hash)).toBe(true)
  expect(isCurrentHash(older('x'))).toBe(false)
  expect(saltOf(hash)).toHaveLength(16)
  expect(saltOf(older('x'))).toBeUndefined()
})

it('a client whose secret is kept so authenticates with it, and every refusal then computes', async () => {
  const upgraded: string[] = []
  const client = toClient({ client_id: 'a' }, 'client', [
    { id: 'legacy', hash: older('battery staple'), expires_at: undefined, upgrade: secret => upgraded.push(secret) }
  ])
  const verify = (presented: string, of: typeof client | 'nobody' = client) =>
    verifyClientSecret(
      of === 'nobody' ? undefined : of,
      { presented },
      { clock: Date.now, decision: new DecisionBuilder('token') }
    )
  expect(await verify('battery staple')).toEqual({ credential: 'secret:legacy' })
  expect(upgraded).toEqual(['battery staple'])
  const plain = toClient({ client_id: 'b', client_secret: 'another secret' })
  expect(verify('another secret', plain)).toEqual({ credential: 'secret:1' })
  for (const whose of [client, plain, 'nobody'] as const) {
    const refusal = verify('wrong', whose)
    expect(refusal).toBeInstanceOf(Promise)
    await expect(refusal).rejects.toThrow('client authentication failed')
  }
})

it.each<[string, string]>([
  ['costs more than a process has', '$scrypt$ln=30,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ['is the beginning of one', '$2b$10$abcdefghij'],
  ['is none', 'correct horse']
])('a hash that %s is refused where the client is configured', (_, value) => {
  const credentials = [{ type: 'secret', id: 'a', hash: value }] as const
  expect(() => toClient({ client_id: 'a', credentials })).toThrow('client.credentials[0].hash must be what hashSecret() returns')
})
