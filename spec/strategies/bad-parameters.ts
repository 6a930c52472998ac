/** What can be wrong with one parameter of a form, whatever it means: one table for every strategy. */
import { describe, expect, it } from '@jest/globals'
import type { Response } from 'supertest'
import {
  bareMounts,
  encode,
  expectInvalidRequest,
  expectRefused,
  extendedMounts,
  post,
  type Mount,
  type StrategySetup
} from '../support/servers/strategy-app.ts'

/** The status of an `invalid_request`; `refused` for a value like any other wrong one, or for no such parameter at all. */
type Outcome = 400 | 413 | 'refused'

interface BadParameter {
  readonly what: string
  /** The body's part for this parameter. */
  readonly write: (name: string, good: string) => string
  /** Where this library reads the body. */
  readonly ours: Outcome
  /** Where express.urlencoded read it before: it repairs what we would refuse, so that all it leaves is a wrong value. */
  readonly parsed: Outcome
}

const pair = (name: string, value: string) => encode({ [name]: value })

const table: readonly BadParameter[] = [
  { what: 'absent', write: () => '', ours: 'refused', parsed: 'refused' },
  { what: 'empty', write: name => `${name}=`, ours: 'refused', parsed: 'refused' },
  { what: 'without an equals sign', write: name => name, ours: 'refused', parsed: 'refused' },
  { what: 'twice', write: (name, good) => `${pair(name, good)}&${pair(name, good)}`, ours: 400, parsed: 400 },
  { what: 'twice, a wrong one first', write: (name, good) => `${name}=x&${pair(name, good)}`, ours: 400, parsed: 400 },
  { what: 'twice, once empty', write: (name, good) => `${pair(name, good)}&${name}=`, ours: 400, parsed: 400 },
  { what: 'a list', write: (name, good) => pair(`${name}[]`, good), ours: 'refused', parsed: 400 },
  { what: 'a list with an index', write: (name, good) => pair(`${name}[0]`, good), ours: 'refused', parsed: 400 },
  { what: 'an object', write: (name, good) => pair(`${name}[value]`, good), ours: 'refused', parsed: 400 },
  {
    what: 'an object with a length',
    write: (name, good) => `${pair(name, good)}&${name}[length]=1`,
    ours: 'refused',
    parsed: 400
  },
  { what: 'under a name in capitals', write: (name, good) => pair(name.toUpperCase(), good), ours: 'refused', parsed: 'refused' },
  { what: 'under a name with a space', write: (name, good) => pair(`${name} `, good), ours: 'refused', parsed: 'refused' },
  { what: 'with a null character', write: (name, good) => `${pair(name, good)}%00`, ours: 400, parsed: 400 },
  { what: 'with a line break', write: (name, good) => `${pair(name, good)}%0D%0A`, ours: 400, parsed: 400 },
  { what: 'with a tab', write: (name, good) => `${pair(name, good)}%09`, ours: 400, parsed: 400 },
  { what: 'with a delete character', write: (name, good) => `${pair(name, good)}%7F`, ours: 400, parsed: 400 },
  { what: 'with a lone percent sign', write: (name, good) => `${pair(name, good)}%`, ours: 400, parsed: 'refused' },
  {
    what: 'with a percent sign and no hex digits',
    write: (name, good) => `${pair(name, good)}%zz`,
    ours: 400,
    parsed: 'refused'
  },
  { what: 'with a byte that is not UTF-8', write: (name, good) => `${pair(name, good)}%FF`, ours: 400, parsed: 'refused' },
  { what: 'with an overlong null character', write: (name, good) => `${pair(name, good)}%C0%80`, ours: 400, parsed: 'refused' },
  { what: 'with half a character', write: (name, good) => `${pair(name, good)}%ED%A0%80`, ours: 400, parsed: 'refused' },
  { what: 'with a space after it', write: (name, good) => `${pair(name, good)}+`, ours: 'refused', parsed: 'refused' },
  { what: 'with a byte order mark', write: (name, good) => pair(name, `\ufeff${good}`), ours: 'refused', parsed: 'refused' },
  { what: 'a word of the language', write: name => `${name}=null`, ours: 'refused', parsed: 'refused' },
  { what: 'a name every object has', write: name => `${name}=__proto__`, ours: 'refused', parsed: 'refused' },
  { what: 'of 60 000 characters', write: name => `${name}=${'x'.repeat(60_000)}`, ours: 'refused', parsed: 'refused' },
  { what: 'of 200 000 characters', write: name => `${name}=${'x'.repeat(200_000)}`, ours: 413, parsed: 413 }
]

/** A list and an object carry the parameter's plain value too in some rows; where that is good, ignoring the rest is right. */
const carriesGood = new Set(['an object with a length'])

/**
 * Describes every bad form of each parameter of an otherwise good request: never 200, never 500, and `invalid_request`
 * wherever the request itself is unreadable.
 *
 * @param accepted how the good request itself comes out over a connection without a certificate.
 */
export function describeBadParameters(
  setup: StrategySetup,
  good: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>,
  names: readonly string[],
  accepted: 200 | 401 = 200
): void {
  const ways = [
    ...bareMounts.map(([way, mount]) => [way, mount, 'ours'] as const),
    ...extendedMounts.map(([way, mount]) => [way, mount, 'parsed'] as const)
  ]
  describe.each(ways)('bad parameters through %s', (way, mount, reader) => {
    const rows = names.flatMap(name => table.map(row => [name, row.what, row] as const))
    it.each(rows)('%s %s', async (name, what, row) => {
      const response = await sendBad(mount, setup, await good(), name, row)
      if (reader === 'ours' && carriesGood.has(what)) expect(response.status).toBe(accepted)
      else expectOutcome(response, row[reader], way.startsWith('authenticateClient'))
    })
  })
}

function sendBad(
  mount: Mount,
  setup: StrategySetup,
  good: Readonly<Record<string, string>>,
  name: string,
  { write }: BadParameter
): Promise<Response> {
  const others = encode({ ...good, [name]: undefined })
  const written = write(name, good[name] ?? '')
  const body = [others, written].filter(part => part !== '').join('&')
  return Promise.resolve(post(mount(setup).app, body))
}

function expectOutcome(response: Response, outcome: Outcome, selects: boolean): void {
  if (outcome !== 'refused') expectInvalidRequest(response, outcome)
  // a credential with a part missing is unreadable; one that is not there at all is Passport's own plain 401
  else if (response.status === 400) expectInvalidRequest(response)
  else if (selects || response.type === 'application/json') expectRefused(response)
  else expect([response.status, response.text]).toEqual([401, 'Unauthorized'])
}
