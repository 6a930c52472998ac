/** Calling a listener that somebody else wrote. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { harmless, warnOnce } from '../lib/listeners.ts'

let warn: jest.SpiedFunction<typeof process.emitWarning>
beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
})
afterEach(() => {
  warn.mockRestore()
})

const settled = () => new Promise(resolve => setImmediate(resolve))
/** What a listener's caller hears, whatever its type says. */
const answerOf = (call: () => unknown) => call()
const warnings = () => warn.mock.calls.map(([message]) => message)

describe('harmless', () => {
  it('hands every argument on, and nothing back', () => {
    const heard: unknown[] = []
    const listener = harmless('onEvent', (...given: unknown[]) => heard.push(given))
    expect(answerOf(() => listener('a', 2))).toBeUndefined()
    expect(heard).toEqual([['a', 2]])
    expect(warn).not.toHaveBeenCalled()
  })

  it('leaves what is not there undefined', () => {
    expect(harmless('onEvent', undefined)).toBeUndefined()
  })

  it.each(['loudly', 7, null, {}])('refuses %p, naming the option', listener => {
    expect(() => harmless('onEvent', listener as never)).toThrow('onEvent must be a function')
  })

  it('is one function for one listener, so that whoever is named twice is told once', () => {
    const listener = () => undefined
    expect(harmless('onDecision', listener)).toBe(harmless('onDecision', listener))
    expect(harmless('onDecision', listener)).toBe(harmless('onDecision', harmless('onDecision', listener)))
  })

  const hostile = new Error('x')
  Object.defineProperty(hostile, 'message', {
    get() {
      throw new Error('no message')
    }
  })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()

  it.each<[string, unknown, string]>([
    ['an error', new Error('the log is full'), 'the log is full'],
    ['an error of several lines', new Error('first\nsecond\u2028third'), 'first\ufffdsecond\ufffdthird'],
    ['an error of a long message', new Error('x'.repeat(5000)), `${'x'.repeat(256)}…`],
    ['an error whose message cannot be read', hostile, 'not an error'],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 }), 'not an error'],
    ['text', 'the log is full', 'not an error'],
    ['nothing', undefined, 'not an error'],
    ['null', null, 'not an error'],
    ['a symbol', Symbol('x'), 'not an error'],
    ['an object without a prototype', Object.create(null), 'not an error'],
    ['a revoked proxy', proxy, 'not an error']
  ])('survives a listener that throws or rejects with %s, and warns once', async (_what, thrown, said) => {
    const throwing = harmless('onEvent', () => {
      throw thrown
    })
    const rejecting = harmless('report', () => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- listeners do
      return Promise.reject(thrown)
    })
    for (let times = 0; times < 3; times++) {
      expect([throwing, rejecting].map(answerOf)).toEqual([undefined, undefined])
      await settled()
    }
    expect(warnings()).toEqual([`onEvent threw, and will again: ${said}`, `report rejected, and will again: ${said}`])
  })

  it.each<[string, unknown]>([
    [
      'a thenable that throws',
      {
        then: () => {
          throw new Error('then')
        }
      }
    ],
    [
      'an object whose then cannot be read',
      Object.defineProperty({}, 'then', {
        get: () => {
          throw new Error('then')
        }
      })
    ],
    [
      'a thenable that rejects twice',
      {
        then: (_: unknown, reject: (error: Error) => void) => {
          reject(new Error('then'))
          reject(new Error('again'))
        }
      }
    ]
  ])('survives a listener that answers with %s', async (_what, answer) => {
    const listener = harmless('onEvent', () => answer)
    for (let times = 0; times < 3; times++) listener()
    await settled()
    expect(warnings()).toEqual(['onEvent rejected, and will again: then'])
  })

  it.each([
    ['a promise that never settles', new Promise(() => undefined)],
    ['a number', 5],
    ['false', false]
  ])('takes %s for an answer', async (_what, answer) => {
    harmless('onEvent', () => answer)()
    await settled()
    expect(warn).not.toHaveBeenCalled()
  })

  it('warns of each listener for itself', () => {
    for (const word of ['one', 'two'])
      harmless('onError', () => {
        throw new Error(word)
      })()
    expect(warnings()).toEqual(['onError threw, and will again: one', 'onError threw, and will again: two'])
  })
})

describe('warnOnce', () => {
  it('says a thing once about each', () => {
    const [one, other] = [{}, {}]
    for (const about of [one, other, one, other]) warnOnce(about, 'look')
    expect(warn.mock.calls).toEqual([
      ['look', 'ClienteleWarning'],
      ['look', 'ClienteleWarning']
    ])
  })
})
