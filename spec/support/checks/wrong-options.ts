/** Options given what they cannot be, by the tables of checks that read them. */
import { describe, expect, it } from '@jest/globals'
import { ConfigurationError } from '../../../lib/index.ts'

/** Something that takes options. */
export interface Taker {
  /** The options, all but the one that is wrong. */
  readonly good: object
  readonly table: object
  /** Where in them the table's are: `resources[0]`. */
  readonly at?: string
  /** What else has to be there. */
  readonly inner?: object
  readonly give: (options: never) => unknown
}

/** The options with one more, or with another value for it. */
function withOption({ good, inner = {}, at }: Taker, name: string, value: unknown): object {
  if (at === undefined) return { ...good, [name]: value }
  const [outer = '', nested] = at.split('.')
  const options = { ...inner, [name]: value }
  return { ...good, ...placed(outer, nested === undefined ? options : { ...beside[outer], ...placed(nested, options) }) }
}

/** What options cannot be without stands beside their limits. */
const beside: Readonly<Record<string, object>> = { registration: { access: 'token' }, clientDocuments: { hosts: ['*'] } }

/** A value under a name; `name[0]`: as the first of a list. */
function placed(place: string, value: object): object {
  const [member = '', index] = place.split('[')
  return { [member]: index === undefined ? value : [value] }
}

async function refusalOf(taker: Taker, options: object): Promise<unknown> {
  try {
    await taker.give(options as never)
  } catch (error) {
    return error
  }
  return 'it was accepted'
}

/** Nothing is any of these; of the others an option may be one or two. */
const neverRight = [null, Symbol('wrong')]
const kinds = [true, 0.5, ' \n', () => undefined, [Symbol('wrong')], { wrong: 1 }]

/** Specs for every option of everything that takes some. */
export function eachRefuses(takers: Readonly<Record<string, Taker>>): void {
  describe.each(Object.entries(takers))('%s', (_, taker) => specsOf(taker))
}

function specsOf(taker: Taker): void {
  const path = taker.at === undefined ? '' : `${taker.at}.`

  it.each(Object.keys(taker.table))('refuses a wrong %s by its name', async name => {
    for (const value of neverRight) {
      const error = await refusalOf(taker, withOption(taker, name, value))
      expect([typeof value, error]).toEqual([typeof value, expect.any(ConfigurationError)])
      expect((error as ConfigurationError).key).toMatch(new RegExp(`^${escaped(path + name)}(?:$|[.[])`))
    }
  })

  it.each(Object.keys(taker.table))('says of a promise of %s that it was not waited for', async name => {
    const error = await refusalOf(taker, withOption(taker, name, Promise.resolve({})))
    expect(error).toMatchObject({ name: 'ConfigurationError', key: path + name, message: expect.stringMatching(/: await it$/) })
  })

  it('refuses an option nobody reads by its name', async () => {
    const error = await refusalOf(taker, withOption(taker, 'nobodyReadsThis', 1))
    expect(error).toMatchObject({ name: 'ConfigurationError', key: `${path}nobodyReadsThis` })
  })

  it('takes of each option few kinds of values', () => {
    for (const [name, check] of Object.entries(taker.table) as [string, { read: (value: unknown, key: string) => unknown }][]) {
      const taken = kinds.filter(value => {
        try {
          check.read(value, name)
          return true
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
          return false
        }
      })
      expect([name, taken.length <= 2]).toEqual([name, true])
    }
  })
}

function escaped(text: string): string {
  return text.replace(/[.[\]]/g, '\\$&')
}
