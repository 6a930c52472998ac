import { describe, expect, it } from '@jest/globals'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { printable } from '../../lib/printable.ts'
import { InvalidClientError } from '../../lib/errors.ts'

describe('printable', () => {
  it.each([
    ['plain text', 'a b é €', 'a b é €'],
    ['line ends', 'a\r\nforged: b', 'a\ufffd\ufffdforged: b'],
    ['a terminal escape', '\u001b[31m', '\ufffd[31m'],
    ['C1 controls and Unicode line ends', '\u0085\u2028\u2029', '\ufffd\ufffd\ufffd'],
    ['256 characters', 'a'.repeat(256), 'a'.repeat(256)],
    ['more', 'a'.repeat(257), `${'a'.repeat(256)}…`]
  ])('shows %s', (_, value, shown) => {
    expect(printable(value)).toBe(shown)
  })
})

describe('DecisionBuilder', () => {
  it('records checks in order, and the announced ones it never reached as skipped', () => {
    const decision = new DecisionBuilder('token')
    decision.announce(['client', 'registered_method', 'signature', 'replay'])
    decision.pass('client')
    decision.report('registered_method', { fix: 'Move.' })
    decision.refuse('signature', { section: 'RFC 7523 §3', expected: 'ES256', received: 'none', fix: 'Sign it.' })
    expect(decision.finish('refused').checks).toEqual([
      { check: 'client', outcome: 'pass' },
      { check: 'registered_method', outcome: 'report', fix: 'Move.' },
      { check: 'signature', outcome: 'fail', section: 'RFC 7523 §3', expected: 'ES256', received: 'none', fix: 'Sign it.' },
      { check: 'replay', outcome: 'skipped' }
    ])
  })

  it('tells the attempt apart from every other', () => {
    const [one, other] = [new DecisionBuilder('token'), new DecisionBuilder('token')]
    expect(one.trace_id).not.toBe(other.trace_id)
    expect(one.finish('authenticated')).toEqual({
      trace_id: one.trace_id,
      endpoint: 'token',
      outcome: 'authenticated',
      checks: []
    })
  })

  it('shows what it knows of the attempt, and nothing a client could forge lines with', () => {
    const decision = new DecisionBuilder('revocation')
    Object.assign(decision, {
      client_id: 'a\nb',
      mechanism: 'assertion',
      method: 'private_key_jwt',
      credential: `kid:${'x'.repeat(300)}`
    })
    decision.refuse('audience', { received: 'x\r\ny', expected: '\u001b[2J' })
    expect(decision.finish('refused')).toMatchObject({
      endpoint: 'revocation',
      client_id: 'a\ufffdb',
      mechanism: 'assertion',
      method: 'private_key_jwt',
      credential: `kid:${'x'.repeat(252)}…`,
      checks: [{ received: 'x\ufffd\ufffdy', expected: '\ufffd[2J' }]
    })
  })

  it('refuses with an error that carries the record as it stands, and the same words as any', () => {
    const decision = new DecisionBuilder('token')
    decision.announce(['client', 'secret'])
    const error = decision.refuse('client', { fix: 'Register it.' }, { 'WWW-Authenticate': 'Basic' })
    decision.pass('secret')
    expect(error).toBeInstanceOf(InvalidClientError)
    expect(error).toMatchObject({ reason: 'client: Register it.', headers: { 'WWW-Authenticate': 'Basic' } })
    expect(error.decision).toMatchObject({
      trace_id: decision.trace_id,
      outcome: 'refused',
      checks: [
        { check: 'client', outcome: 'fail' },
        { check: 'secret', outcome: 'skipped' }
      ]
    })
    expect(error.toJSON()).toEqual(new InvalidClientError().toJSON())
    expect(new DecisionBuilder('token').refuse('secret').reason).toBe('secret')
  })

  it('goes on refusing for what failed first, whatever is done after it', () => {
    const decision = new DecisionBuilder('token')
    decision.announce(['client', 'secret', 'secret_expiry'])
    decision.fail('client', { fix: 'Register it.' })
    decision.pass('secret')
    decision.report('secret_expiry', {})
    decision.fail('secret', { fix: 'Another.' })
    const error = decision.refuse('secret', { fix: 'Another.' })
    expect(error.reason).toBe('client: Register it.')
    expect(error.decision?.checks).toEqual([
      { check: 'client', outcome: 'fail', fix: 'Register it.' },
      { check: 'secret', outcome: 'skipped' },
      { check: 'secret_expiry', outcome: 'skipped' }
    ])
  })
})
