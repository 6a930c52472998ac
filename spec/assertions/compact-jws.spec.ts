import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeUnverified, longestJws } from '../../lib/assertions/compact-jws.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { identifyUnverified } from '../../lib/assertions/client-assertion.ts'
import { anyCharacter } from '../support/checks/any-character.ts'
import { assemble, claims } from './signing.ts'
import { runs } from '../support/checks/runs.ts'

const good = assemble({ alg: 'ES256' })

describe('decodeUnverified', () => {
  it('reads header and payload', () => {
    const payload = claims()
    const jws = decodeUnverified(assemble({ alg: 'ES256', kid: 'a' }, payload))
    expect(jws).toEqual({ outcome: 'read', header: { alg: 'ES256', kid: 'a' }, payload })
  })

  it.each([
    ['nothing', '', 'three'],
    ['one part', 'e30', 'three'],
    ['two parts', 'e30.e30', 'three'],
    ['four parts', `${good}.AAAA`, 'three'],
    ['five parts', 'e30.AA.AA.AA.AA', 'encrypted'],
    ['an empty header', `.${good.split('.').slice(1).join('.')}`, 'three'],
    ['padding', `${Buffer.from('{}').toString('base64')}.e30.AAAA`, 'three'],
    ['standard base64', 'e30.e3+/.AAAA', 'three'],
    ['white space', `${good} `, 'three'],
    ['a line break', `${good}\n`, 'three'],
    ['an impossible length', 'e30aa.e30.AAAA', 'header'],
    ['a header that is a list', assemble([]), 'header'],
    ['a header that is null', assemble(null), 'header'],
    ['a header that is text', assemble('alg'), 'header'],
    ['a payload that is a list', assemble({}, []), 'payload'],
    ['a payload that is a number', assemble({}, 5), 'payload'],
    ['a payload that is not JSON', assemble({}, '{"iss":'), 'payload'],
    ['a payload that is not UTF-8', `e30.${Buffer.from('7b2261223a22ff227d', 'hex').toString('base64url')}.AAAA`, 'payload'],
    ['too much', assemble({}, { filler: 'a'.repeat(longestJws) }), 'longer']
  ])('refuses %s', (_, jws, reason) => {
    expect(decodeUnverified(jws)).toEqual({ outcome: 'malformed', reason: expect.stringContaining(reason) })
  })
})

describe('parseJsonObject', () => {
  it('does not let a member change the prototype of what it returns', () => {
    const read = parseJsonObject('{"__proto__":{"iss":"x"}}')
    expect(read?.['iss']).toBeUndefined()
  })
})

const identify = (assertion: string) => identifyUnverified(decodeUnverified(assertion))

describe('identifyUnverified', () => {
  it('says whose it claims to be', () => {
    expect(identify(good)).toEqual({ outcome: 'present', client_id: 'billing', alg: 'ES256' })
  })

  it('takes iss where there is no sub, for the record of the refusal', () => {
    const assertion = assemble({ alg: 'ES256' }, claims({ sub: undefined, iss: 'other' }))
    expect(identify(assertion)).toEqual({ outcome: 'present', client_id: 'other', alg: 'ES256' })
  })

  it.each([[null], [5], [''], [['billing']], [{}], [true]])('refuses the sub %j', sub => {
    const assertion = assemble({ alg: 'ES256' }, claims({ sub, iss: sub }))
    expect(identify(assertion).outcome).toBe('malformed')
  })

  it.each([[undefined], [null], [5], [['ES256']]])('refuses the alg %j', alg => {
    expect(identify(assemble({ alg })).outcome).toBe('malformed')
  })

  it('never throws, whatever the string', () => {
    const part = fc.oneof(
      fc.json().map(text => Buffer.from(text).toString('base64url')),
      fc.string(),
      fc.base64String(),
      fc.uint8Array().map(bytes => Buffer.from(bytes).toString('base64url'))
    )
    const text = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.array(part, { maxLength: 5 }).map(parts => parts.join('.'))
    )
    fc.assert(
      fc.property(text, assertion => {
        expect(['malformed', 'present']).toContain(identify(assertion).outcome)
      }),
      { numRuns: runs(2000) }
    )
  })
})
