/** What the BasicStrategy of passport-http 0.3 does, as far as this library builds on it or around it. */
import { describe, expect, it } from '@jest/globals'
import type { Request } from 'express'
import passport, { type StrategyCreated } from 'passport'
import { BasicStrategy } from 'passport-http'
import type { Strategy } from 'passport-strategy'
import request from 'supertest'
import { passportApp } from './passport-app.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What the verify callback is given for an Authorization header, and what the caller is answered. */
async function present(authorization: string | undefined, realm = 'Users') {
  const given: [string, string][] = []
  const strategy = new BasicStrategy({ realm }, (user, password, done) => {
    given.push([user, password])
    done(null, password === 'right' ? { client_id: user } : false)
  })
  const get = request(passportApp({ strategies: [strategy] })).get('/')
  const { status, text, headers } = await (authorization === undefined ? get : get.set('Authorization', authorization))
  return { given, status, text, headers }
}

describe('BasicStrategy', () => {
  it('passes a user and a password', async () => {
    expect(await present(`Basic ${base64('billing:right')}`)).toMatchObject({ status: 200, given: [['billing', 'right']] })
  })

  it('cuts the password at its second colon: right:anything is accepted for right', async () => {
    expect(await present(`Basic ${base64('billing:right:anything')}`)).toMatchObject({
      status: 200,
      given: [['billing', 'right']]
    })
  })

  it('does not decode the form encoding that RFC 6749 §2.3.1 asks for', async () => {
    const { given } = await present(`Basic ${base64('https%3A%2F%2Fbilling.example:a+b%25')}`)
    expect(given).toEqual([['https%3A%2F%2Fbilling.example', 'a+b%25']])
  })

  it.each(['Basic', 'basic', 'NotBasic', 'Basically', 'xbasicx'])('takes the scheme %s for Basic', async scheme => {
    expect((await present(`${scheme} ${base64('billing:right')}`)).status).toBe(200)
  })

  it('does not take another scheme', async () => {
    expect(await present(`Bearer ${base64('billing:right')}`)).toMatchObject({ status: 401, given: [] })
  })

  it.each([
    ['characters that are not base64', `!!${base64('billing:right')}`],
    ['characters that are not base64 within', base64('billing:right').replace(/^..../, '$&**')],
    ['padding and more after it', `${base64('billing:right')}==!`],
    ['a further word', `${base64('billing:right')} and more`]
  ])('tolerates %s', async (_, credentials) => {
    expect(await present(`Basic ${credentials}`)).toMatchObject({ status: 200, given: [['billing', 'right']] })
  })

  it.each([
    ['a scheme alone', 'Basic'],
    ['credentials without a colon', `Basic ${base64('billing')}`],
    ['nothing decodable', 'Basic ****']
  ])('answers 400 to %s, in plain text without a type or a challenge', async (_, authorization) => {
    const { status, text, headers, given } = await present(authorization)
    expect([status, text, given]).toEqual([400, 'Bad Request', []])
    expect(headers).not.toHaveProperty('content-type')
    expect(headers).not.toHaveProperty('www-authenticate')
  })

  it.each([
    ['no header', undefined],
    ['an empty user', `Basic ${base64(':right')}`],
    ['an empty password', `Basic ${base64('billing:')}`],
    ['a wrong password', `Basic ${base64('billing:wrong')}`]
  ])('challenges the same way for %s, absent or refused', async (_, authorization) => {
    const { status, headers } = await present(authorization)
    expect([status, headers['www-authenticate']]).toEqual([401, 'Basic realm="Users"'])
  })

  it('puts the realm in the header unescaped', async () => {
    const { headers } = await present(undefined, 'a", error="b\\')
    expect(headers['www-authenticate']).toBe('Basic realm="a", error="b\\"')
  })
})

type Has<T, Member extends string> = Member extends keyof T ? true : false

class WithPrivate extends BasicStrategy {
  private readonly realms = ['Users']

  // this compiles only with the type Passport gives to `this`: BasicStrategy's own has no `success`
  override authenticate(this: StrategyCreated<this>, req: Request): void {
    this.success({ path: req.path })
  }

  countRealms(): number {
    return this.realms.length
  }
}

describe('the types', () => {
  it("of passport-strategy's Strategy have the action methods, those of BasicStrategy have not", () => {
    const strategyHas: Has<Strategy, 'success' | 'error' | 'fail'> = true
    const basicHas: Has<BasicStrategy, 'success' | 'error' | 'fail'> = false
    expect([strategyHas, basicHas]).toEqual([true, false])
  })

  it('of StrategyCreated have them, and no private members', () => {
    const createdHas: Has<StrategyCreated<WithPrivate & { success: unknown }>, 'success' | 'countRealms'> = true
    const privateIsVisible: Has<StrategyCreated<WithPrivate>, 'realms'> = false
    expect([createdHas, privateIsVisible]).toEqual([true, false])
  })

  it('accept a class that types its this so in use(), but not in a variable of type Strategy', async () => {
    new passport.Passport().use(new WithPrivate(() => undefined))
    const strategy = new WithPrivate(() => undefined)
    const { body } = await request(passportApp({ strategies: [strategy as object as passport.Strategy] })).get('/jobs')
    expect([body, strategy.countRealms()]).toEqual([{ client: { path: '/jobs' } }, 1])
  })
})
