import { describe, expect, it } from '@jest/globals'
import type { Request } from 'express'
import { TooManyAttemptsError } from '../../lib/index.ts'
import { networkBudget } from '../../lib/http/network-budget.ts'

const from = (remoteAddress: string) => ({ socket: { remoteAddress } }) as unknown as Request

describe('what a network may use up', () => {
  it('is its own, is not what was only asked about, and comes back after its time', () => {
    let now = 1_800_000_000_000
    const budget = networkBudget({ most: 3, window: 60, clock: () => now, reasonOf: network => `${network} is done` })
    const refusal = (req: Request, amount: number) => {
      try {
        budget.check(req, amount)
        return undefined
      } catch (error) {
        return error as TooManyAttemptsError
      }
    }
    for (let time = 0; time < 10; time++) expect(refusal(from('192.0.2.1'), 3)).toBeUndefined()
    expect(refusal(from('192.0.2.1'), 4)).toBeInstanceOf(TooManyAttemptsError)
    budget.add(from('192.0.2.1'), 2)
    now += 20_000
    expect(refusal(from('192.0.2.1'), 1)).toBeUndefined()
    expect(refusal(from('192.0.2.1'), 2)).toMatchObject({
      status: 429,
      headers: { 'Retry-After': '40' },
      reason: '192.0.2.1 is done'
    })
    expect(refusal(from('192.0.2.2'), 3)).toBeUndefined()
    now += 40_000
    expect(refusal(from('192.0.2.1'), 3)).toBeUndefined()
  })
})
