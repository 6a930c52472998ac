/** What passport-oauth2-client-password 0.1 does, as far as this library builds on it or around it. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import { Strategy } from 'passport-oauth2-client-password'
import request from 'supertest'
import { passportApp } from './passport-app.ts'

/** What the verify callback is given for a body, and what the caller is answered. */
async function present(body: string | object, parsers = [express.urlencoded({ extended: true }), express.json()]) {
  const given: unknown[][] = []
  const strategy = new Strategy((clientId: unknown, clientSecret: unknown, done) => {
    given.push([clientId, clientSecret])
    done(null, clientSecret === 'right' ? { client_id: clientId } : false)
  })
  const { status, text, headers } = await request(passportApp({ strategies: [strategy], parsers }))
    .post('/')
    .send(body)
  return { given, status, text, headers }
}

describe('the client-password strategy', () => {
  it('is named oauth2-client-password, which is no token_endpoint_auth_method', () => {
    expect(new Strategy(() => undefined).name).toBe('oauth2-client-password')
  })

  it('passes a client_id and a client_secret of the body', async () => {
    expect(await present('client_id=billing&client_secret=right')).toMatchObject({ status: 200, given: [['billing', 'right']] })
  })

  it('hands lists to the verify callback when a parameter is repeated', async () => {
    const { given } = await present('client_id=billing&client_id=spa&client_secret=right&client_secret=wrong')
    expect(given).toEqual([
      [
        ['billing', 'spa'],
        ['right', 'wrong']
      ]
    ])
  })

  it('hands objects to the verify callback', async () => {
    expect((await present('client_id[$ne]=x&client_secret[$gt]=')).given).toEqual([[{ $ne: 'x' }, { $gt: '' }]])
  })

  it('hands numbers and booleans to the verify callback', async () => {
    expect((await present({ client_id: 7, client_secret: true })).given).toEqual([[7, true]])
  })

  it.each([
    ['no client_secret', 'client_id=billing'],
    ['no client_id', 'client_secret=right'],
    ['an empty client_secret', 'client_id=billing&client_secret='],
    ['a wrong client_secret', 'client_id=billing&client_secret=wrong']
  ])('fails for %s, absent or refused, without a challenge', async (_, body) => {
    const { status, text, headers } = await present(body)
    expect([status, text]).toEqual([401, 'Unauthorized'])
    expect(headers).not.toHaveProperty('www-authenticate')
    expect(headers).not.toHaveProperty('content-type')
  })

  it('fails where nothing parsed the body', async () => {
    expect(await present('client_id=billing&client_secret=right', [])).toMatchObject({ status: 401, given: [] })
  })
})
