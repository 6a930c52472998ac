import { describe, expect, it } from '@jest/globals'
import { spiffeDomain } from '../../../lib/assertions/workloads/trust-domain.ts'
import type { TrustDomainRule } from '../../../lib/assertions/workloads/options.ts'
import { makeAuthority, type MadeCertificate } from '../../support/certificates/certificates.ts'
import { GuardedFetchError } from '../../../lib/outbound/guarded-fetch.ts'

const key = (kid: string) => ({
  ...{ kty: 'EC', crv: 'P-256', use: 'jwt-svid', kid },
  ...{ x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' }
})
const minute = 60_000

/** A domain whose endpoint answers what it is told to; `at` says which keys there are so many milliseconds on. */
function domain(first: object | 'down', staleLimit = 3600) {
  let now = 1_800_000_000_000
  let answer: object | 'down' = first
  let fetches = 0
  const made = spiffeDomain(
    { trustDomain: 'prod.example', bundle: undefined, bundleEndpoint: 'https://spire.example/b', staleLimit } as TrustDomainRule,
    {
      clock: () => now,
      fetchJson: () => {
        fetches++
        if (answer === 'down') return Promise.reject(new GuardedFetchError('timeout', 'it does not answer'))
        return Promise.resolve({ json: answer, maxAge: 0 })
      }
    }
  )
  const find = async () => {
    const { keys, problem } = await made.jwtKeys.find(() => true)
    return { kids: keys.map(({ kid }) => kid), problem }
  }
  return {
    made,
    find,
    fetches: () => fetches,
    async later(ms: number, next: object | 'down') {
      now += ms
      answer = next
      return find()
    }
  }
}

describe('a bundle endpoint', () => {
  it.each([
    ['30 where it says 1', 1, 30],
    ['3600 where it says a day', 86_400, 3600],
    ['300 where it says nothing', undefined, 300],
    ['300 where it says nonsense', 'soon', 300],
    ['300 where it says less than nothing', -5, 300],
    ['what it says within bounds', 90, 90]
  ])('is asked again after %s', async (_, spiffe_refresh_hint, seconds) => {
    const bundle = { keys: [key('a')], spiffe_refresh_hint }
    const one = domain(bundle)
    await one.find()
    await one.later(seconds * 1000 - 1, bundle)
    expect(one.fetches()).toBe(1)
    await one.later(1, bundle)
    expect(one.fetches()).toBe(2)
  })

  it('does not go back: an older bundle is refused, and the last good one stays', async () => {
    const one = domain({ keys: [key('new')], spiffe_sequence: 7 })
    await one.find()
    const older = await one.later(6 * minute, { keys: [key('taken back')], spiffe_sequence: 6 })
    expect(older).toEqual({ kids: ['new'], problem: expect.stringContaining('went back from 7 to 6') })
    expect((await one.later(minute, { keys: [key('newer')], spiffe_sequence: 8 })).kids).toEqual(['newer'])
  })

  it('does not go back by way of a bundle that says no sequence', async () => {
    const one = domain({ keys: [key('new')], spiffe_sequence: 7 })
    await one.find()
    expect((await one.later(6 * minute, { keys: [key('silent')] })).kids).toEqual(['silent'])
    const older = await one.later(6 * minute, { keys: [key('taken back')], spiffe_sequence: 6 })
    expect(older).toEqual({ kids: ['silent'], problem: expect.stringContaining('went back') })
  })

  it.each([
    ['does not answer', 'down' as const],
    ['answers no bundle', { jwks: [] }],
    ['answers a list', []]
  ])('keeps the last good bundle for as long as it may where it %s', async (_, answer) => {
    const one = domain({ keys: [key('a')] }, 600)
    await one.find()
    expect((await one.later(6 * minute, answer)).kids).toEqual(['a'])
    expect((await one.later(8 * minute, answer)).kids).toEqual(['a'])
    expect(await one.later(2 * minute, answer)).toEqual({ kids: [], problem: expect.any(String) })
    expect((await one.later(minute, { keys: [key('b')] })).kids).toEqual(['b'])
  })

  it('has nothing while it was never there, and is found once it is', async () => {
    const one = domain('down')
    expect((await one.find()).kids).toEqual([])
    expect((await one.later(minute, { keys: [key('a')] })).kids).toEqual(['a'])
  })

  it('is asked once by a thousand at once', async () => {
    const one = domain({ keys: [key('a')] })
    await Promise.all(Array.from({ length: 1000 }, () => one.find()))
    expect(one.fetches()).toBe(1)
  })

  it('is asked again for an authority that is new, and not for want of one', async () => {
    const bundleOf = (authority: MadeCertificate) => ({
      keys: [{ ...authority.jwk, use: 'x509-svid', x5c: [authority.der.toString('base64')] }]
    })
    const one = domain(bundleOf(makeAuthority()))
    const { verifier } = await one.made.certificates()
    await one.later(1000, bundleOf(makeAuthority()))
    expect((await one.made.certificates()).verifier).toBe(verifier)
    const newer = await one.made.certificates(verifier)
    expect(newer).toEqual({ verifier: expect.any(Function), problem: undefined })
    expect(newer.verifier).not.toBe(verifier)
    expect(one.fetches()).toBe(2)
    for (let times = 0; times < 10; times++) await one.made.certificates((await one.made.certificates()).verifier)
    expect(one.fetches()).toBe(6)
  })
})
