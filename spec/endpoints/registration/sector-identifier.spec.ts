import { describe, expect, it } from '@jest/globals'
import { callback } from '../../support/authorization-server.ts'
import { refusalOf, register, registrationHarness, send, web } from '../../support/registration.ts'
import { invalid, refusal } from './rules.ts'

describe('a sector identifier', () => {
  const served = async (json: unknown) => {
    const fetched: string[] = []
    const fetchJson = (url: string) => {
      fetched.push(url)
      return json instanceof Error ? Promise.reject(json) : Promise.resolve({ json })
    }
    return { fetched, ...(await registrationHarness({}, { fetchJson })) }
  }
  const sector_identifier_uri = 'https://client.example.com/sector.json'
  const client = { ...web, sector_identifier_uri }

  it('is kept when its document lists every redirect URI', async () => {
    const { app, fetched } = await served([`${callback}/other`, callback])
    expect(await register(app, client)).toMatchObject({ sector_identifier_uri })
    expect(fetched).toEqual([sector_identifier_uri])
  })

  it.each<[string, unknown, string]>([
    ['lists another', [`${callback}/`], 'sector_identifier_uri must name a document that lists redirect_uris[0]'],
    ['is no list', { redirect_uris: [callback] }, 'sector_identifier_uri must name a JSON list of redirect URIs'],
    ['cannot be fetched', new Error('ECONNREFUSED 10.0.0.7'), 'sector_identifier_uri must name a document this server can fetch']
  ])('is refused when its document %s', async (_, json, words) => {
    const { app } = await served(json)
    expect(refusalOf(await send(app, client))).toEqual({
      status: 400,
      error: 'invalid_client_metadata',
      error_description: words
    })
  })

  it('is not fetched for a client that is refused anyway', async () => {
    const { app, fetched } = await served([callback])
    expect((await send(app, { ...client, grant_types: ['password'] })).status).toBe(400)
    expect(fetched).toEqual([])
  })
})

describe('a pairwise client', () => {
  const pairwise = { subject_type: 'pairwise', redirect_uris: ['https://a.example/1', 'https://a.example/2'] }

  it('whose redirect URIs are on one host needs no sector identifier, on several it does (OpenID Connect Core §8.1)', () => {
    expect(refusal(pairwise)).toBe('accepted')
    expect(refusal({ redirect_uris: ['https://a.example/', 'https://b.example/'] })).toBe('accepted')
    const several = { ...pairwise, redirect_uris: ['https://a.example/', 'https://b.example/'] }
    expect(refusal(several)).toEqual(invalid('sector_identifier_uri must be given'))
    expect(refusal({ ...several, sector_identifier_uri: 'https://c.example/' })).toBe('accepted')
  })

  it('is one only where the server makes pairwise identifiers', async () => {
    const { app } = await registrationHarness()
    expect((await send(app, { ...web, subject_type: 'pairwise' })).body.error_description).toBe(
      'subject_type must be one of public'
    )
    const able = await registrationHarness({}, { pairwiseSecret: 'a secret of thirty-two bytes and more' })
    expect(await register(able.app, { ...web, subject_type: 'pairwise' })).toMatchObject({ subject_type: 'pairwise' })
  })

  it.each(['http://localhost/s', 'http://client.example/s', 'https://u@client.example/s', 'https://client.example/s#f'])(
    'has no sector identifier %s',
    uri => {
      expect(refusal({ ...pairwise, sector_identifier_uri: uri }, { loopback: true })).toEqual(
        invalid('sector_identifier_uri must be an https URL')
      )
    }
  )
})
