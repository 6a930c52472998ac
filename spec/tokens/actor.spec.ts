import { describe, expect, it } from '@jest/globals'
import { actThrough, longestChain, mayAct, readActor, readAllowedActor, type Actor } from '../../lib/tokens/actor.ts'

const iss = 'https://idp.example'
const here = 'https://as.example.com'

function chain(depth: number): Actor {
  return depth === 1 ? { sub: 'actor 1' } : { sub: `actor ${depth}`, act: chain(depth - 1) }
}

describe('readActor', () => {
  it.each<[string, unknown, unknown]>([
    ['none', undefined, undefined],
    ['one, by the issuer that names it', { sub: 'bot' }, { iss, sub: 'bot' }],
    ['one of somebody else', { iss: 'https://x.example', sub: 'bot' }, { iss: 'https://x.example', sub: 'bot' }],
    ['one before another', { sub: 'b', act: { sub: 'a' } }, { iss, sub: 'b', act: { iss, sub: 'a' } }],
    ['names alone', { sub: 'bot', exp: 1, email: 'b@x', client_id: 'c' }, { iss, sub: 'bot' }]
  ])('reads %s', (_, act, expected) => {
    expect(readActor(act, iss)).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a word', 'bot'],
    ['a list', [{ sub: 'bot' }]],
    ['nobody', {}],
    ['an empty name', { sub: '' }],
    ['a long name', { sub: 'x'.repeat(513) }],
    ['a number', { sub: 7 }],
    ['an issuer that is no string', { iss: {}, sub: 'bot' }],
    ['a null before it', { sub: 'bot', act: null }],
    ['nobody before it', { sub: 'bot', act: { iss } }],
    ['more than may have acted', chain(longestChain + 1)]
  ])('refuses %s', (_, act) => {
    expect(readActor(act, iss)).toBe('malformed')
  })

  it('reads as many as may have acted', () => {
    expect(readActor(chain(longestChain), iss)).toMatchObject({ sub: `actor ${longestChain}` })
  })
})

describe('actThrough', () => {
  it('puts the new actor before those who acted', () => {
    expect(actThrough({ sub: 'a' }, undefined)).toEqual({ sub: 'a' })
    expect(actThrough({ sub: 'b' }, { sub: 'a' })).toEqual({ sub: 'b', act: { sub: 'a' } })
    // the same name of another issuer is another party
    expect(actThrough({ sub: 'a' }, { iss, sub: 'a' })).toEqual({ sub: 'a', act: { iss, sub: 'a' } })
  })

  it('does not count who acts already twice', () => {
    const prior = { iss, sub: 'a', act: { sub: 'b' } }
    expect(actThrough({ iss, sub: 'a' }, prior)).toBe(prior)
  })

  it('makes no chain that could not be read', () => {
    expect(actThrough({ sub: 'new' }, chain(longestChain - 1))).toMatchObject({ sub: 'new' })
    expect(actThrough({ sub: 'new' }, chain(longestChain))).toBeUndefined()
  })
})

describe('readAllowedActor', () => {
  it.each<[unknown, unknown]>([
    [undefined, undefined],
    [{ sub: 'bot' }, { iss, sub: 'bot' }],
    [
      { iss: here, sub: 'bot' },
      { iss: here, sub: 'bot' }
    ],
    [{ client_id: 'c' }, { client_id: 'c' }],
    [
      { client_id: 'c', sub: 'bot' },
      { client_id: 'c', iss, sub: 'bot' }
    ]
  ])('reads %j', (may_act, expected) => {
    expect(readAllowedActor(may_act, iss)).toEqual(expected)
  })

  it.each([
    [null],
    ['bot'],
    [[]],
    [{}],
    [{ iss }],
    [{ sub: '' }],
    [{ sub: 7 }],
    [{ sub: 'bot', email: 'b@x' }],
    [{ act: { sub: 'bot' } }]
  ])('lets nobody act for %j', may_act => {
    expect(readAllowedActor(may_act, iss)).toBe('malformed')
  })
})

describe('mayAct', () => {
  it.each([
    [true, { sub: 'c' }, { sub: 'c' }],
    [true, { iss: here, sub: 'c' }, { sub: 'c' }],
    [true, { iss, sub: 'c' }, { iss, sub: 'c' }],
    [true, { client_id: 'client' }, { iss, sub: 'c' }],
    [false, { iss, sub: 'c' }, { sub: 'c' }],
    [false, { sub: 'c' }, { iss, sub: 'c' }],
    [false, { sub: 'C' }, { sub: 'c' }],
    [false, { client_id: 'another' }, { sub: 'c' }],
    [false, { client_id: 'another', sub: 'c' }, { sub: 'c' }],
    [false, { client_id: 'client', sub: 'd' }, { sub: 'c' }]
  ])('%p: %j, and it is %j', (expected, allowed, party) => {
    expect(mayAct(allowed, party, 'client', here)).toBe(expected)
  })
})
