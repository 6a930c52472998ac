import { describe, expect, it } from '@jest/globals'
import { inItsTurn } from '../../../lib/credentials/guesses/computations.ts'
import { TemporarilyUnavailableError } from '../../../lib/errors.ts'

/** Computations that end when they are told to. */
function workshop() {
  const order: string[] = []
  const running: (() => void)[] = []
  const ask = (network: string | undefined, name = String(network)): Promise<string> =>
    inItsTurn(network, async () => {
      order.push(name)
      await new Promise<void>(resolve => running.push(resolve))
      return name
    })
  const finish = async (): Promise<void> => {
    for (let idle = 0; idle < 20;) {
      const next = running.shift()
      next?.()
      idle = next === undefined ? idle + 1 : 0
      await Promise.resolve()
    }
  }
  return { order, ask, finish }
}

const many = (times: number, ask: () => Promise<string>) => Array.from({ length: times }, ask)
const refusedOf = async (asked: readonly Promise<string>[]) =>
  (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected').length

describe('costly computations', () => {
  it('are done a few at a time, each network in its turn', async () => {
    const { order, ask, finish } = workshop()
    const asked = [...many(10, () => ask('a')), ask('b'), ask('c'), ask('b')]
    await finish()
    await Promise.all(asked)
    expect(order.slice(0, 8)).toEqual(['a', 'a', 'a', 'b', 'c', 'a', 'b', 'a'])
  })

  it('of one network wait up to a bound, and only it hears of that', async () => {
    const { ask, finish } = workshop()
    const flood = many(200, () => ask('a'))
    const neighbour = ask('b')
    await finish()
    expect(await neighbour).toBe('b')
    expect(await refusedOf(flood)).toBe(200 - 52)
    await expect(Promise.all(flood)).rejects.toThrow(TemporarilyUnavailableError)
  })

  it('of many networks make room for one that has fewer waiting', async () => {
    const { ask, finish } = workshop()
    const floods = ['a', 'b', 'c'].map(network => many(100, () => ask(network)))
    const neighbours = ['d', 'e', 'f'].map(network => ask(network))
    await finish()
    expect(await Promise.all(neighbours)).toEqual(['d', 'e', 'f'])
    const refused = await Promise.all(floods.map(refusedOf))
    expect(refused.reduce((sum, count) => sum + count, 0)).toBe(300 - 102 + 3)
  })

  it('go on after one that failed', async () => {
    const failing = Promise.allSettled([1, 2, 3].map(() => inItsTurn('a', () => Promise.reject(new Error('no')))))
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await inItsTurn('a', () => Promise.resolve('yes'))).toBe('yes')
  })
})
