/** Whatever is sent to be registered: an answer that fits, never a fault, and nothing kept that is no client. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import fc from 'fast-check'
import request from 'supertest'
import { toClient } from '../../../lib/clients/client.ts'
import { memoryStore, type ClientMetadata } from '../../../lib/index.ts'
import { callback } from '../../support/servers/authorization-server.ts'
import {
  endpoint,
  machine,
  manage,
  recordingStore,
  refusalOf,
  register,
  registrationHarness,
  send,
  web,
  without
} from '../../support/servers/registration.ts'
import { anyCharacter } from '../../support/checks/any-character.ts'
import { runs } from '../../support/checks/runs.ts'

let app: Express
let errors: readonly unknown[]
beforeAll(async () => {
  ;({ app, errors } = await registrationHarness())
})

const post = (body: string | Buffer, type?: string) => {
  const asked = request(app).post(endpoint)
  return (type === undefined ? asked : asked.set('Content-Type', type)).send(body as string)
}

describe('a body that is no JSON object', () => {
  it.each([
    ['nothing', '', 'is not valid JSON'],
    ['half of one', '{"redirect_uris":', 'is not valid JSON'],
    ['two of them', '{}{}', 'is not valid JSON'],
    ['a form', 'redirect_uris=x', 'is not valid JSON'],
    ['null', 'null', 'must be one JSON object'],
    ['a list', '[{}]', 'must be one JSON object'],
    ['a string', '"x"', 'must be one JSON object'],
    ['a number', '1e999', 'must be one JSON object'],
    ['true', 'true', 'must be one JSON object'],
    [
      'the same name twice',
      `{"redirect_uris":["${callback}"],"redirect_uris":["https://evil.example/"]}`,
      'has the same name twice'
    ],
    ['the same name twice, deep inside', '{"jwks":{"keys":[{"kty":"EC","kty":"oct"}]}}', 'has the same name twice'],
    ['the same name twice, once escaped', '{"client_name":"a","client\\u005fname":"b"}', 'has the same name twice'],
    ['a deep one', `{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`, 'must not be nested more than 8 deep']
  ])('is refused where it is %s', async (_, body, problem) => {
    const response = await post(body, 'application/json')
    expect(refusalOf(response)).toEqual({
      status: 400,
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining(problem)
    })
  })

  it('is refused where it is not UTF-8', async () => {
    const asked = request(app).post(endpoint).type('application/json')
    // superagent would make JSON of the bytes
    asked.write(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))
    const response = await asked
    expect(refusalOf(response)).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
  })

  it.each([
    undefined,
    'application/x-www-form-urlencoded',
    'text/json',
    'application/jsonx',
    'application/json; charset=latin1',
    'multipart/form-data; boundary=x'
  ])('is refused as %s', async type => {
    const response = await request(app)
      .post(endpoint)
      .set(type === undefined ? {} : { 'Content-Type': type })
      .send(Buffer.from(JSON.stringify(web)))
      .unset(type === undefined ? 'Content-Type' : 'X-None')
    expect(refusalOf(response)).toMatchObject({ status: 415, error: 'invalid_request' })
  })

  it.each(['application/json;charset=UTF-8', 'Application/JSON', 'application/json; charset="utf-8"'])(
    'is not what %s says',
    async type => {
      expect((await post(JSON.stringify(web), type)).status).toBe(201)
    }
  )

  it('is refused compressed', async () => {
    const response = await request(app).post(endpoint).type('application/json').set('Content-Encoding', 'gzip').send('{}')
    expect(response.status).toBe(415)
  })
})

describe('a body that is too much', () => {
  it.each([
    ['of a megabyte', JSON.stringify({ ...web, client_name: 'x'.repeat(1_048_576) })],
    [
      'with 10,000 redirect URIs',
      JSON.stringify({ redirect_uris: Array.from({ length: 10_000 }, (_, index) => `${callback}/${index}`) })
    ]
  ])('is too long %s', async (_, body) => {
    expect(refusalOf(await post(body, 'application/json'))).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
  })

  it('is what the operator says', async () => {
    const { app } = await registrationHarness({ limits: { bytes: 300, redirectUris: 1 } })
    expect((await send(app, { ...web, client_name: 'x'.repeat(300) })).body).toMatchObject({
      error_description: expect.stringContaining('300 bytes')
    })
    expect(refusalOf(await send(app, { redirect_uris: [callback, `${callback}/2`] }))).toMatchObject({
      status: 400,
      error: 'invalid_redirect_uri',
      error_description: 'redirect_uris must have at most 1 items'
    })
  })
})

describe('behind a body parser of the application', () => {
  it.each([
    ['express.json()', express.json({ limit: '10mb', strict: false })],
    ['express.text()', express.text({ type: '*/*', limit: '10mb' })],
    ['express.raw()', express.raw({ type: '*/*', limit: '10mb' })]
  ])('%s a client registers, and what is none does not', async (_, parser) => {
    const parsing = express()
    parsing.use(parser)
    const { app } = await registrationHarness({}, {}, parsing)
    expect((await send(app, web)).status).toBe(201)
    for (const body of ['null', '[]', '"x"', '7', '{"jwks":{"keys":[{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}]}}'])
      expect(refusalOf(await send(app, body))).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
    const many = { redirect_uris: Array.from({ length: 10_000 }, (_, index) => `${callback}/${index}`) }
    expect([400, 413]).toContain((await send(app, many)).status)
  })

  it('that left nothing the operator is told', async () => {
    const consuming = express()
    consuming.use((req, _res, next) => void req.resume().once('end', () => next()))
    const { app, errors } = await registrationHarness({}, {}, consuming)
    expect((await send(app, web)).status).toBe(500)
    expect(errors).toEqual([expect.objectContaining({ reason: expect.stringContaining('mount it after this route') })])
  })
})

describe('any JSON at all', () => {
  const names = [
    ...[
      'redirect_uris',
      'token_endpoint_auth_method',
      'grant_types',
      'response_types',
      'client_name',
      'client_name#de',
      'client_uri',
      'contacts'
    ],
    ...[
      'scope',
      'jwks',
      'jwks_uri',
      'software_id',
      'software_statement',
      'application_type',
      'subject_type',
      'sector_identifier_uri'
    ],
    ...[
      'token_endpoint_auth_signing_alg',
      'id_token_signed_response_alg',
      'request_object_signing_alg',
      'require_signed_request_object'
    ],
    ...[
      'dpop_bound_access_tokens',
      'tls_client_auth_subject_dn',
      'authorization_details_types',
      '__proto__',
      'constructor',
      'client_id'
    ]
  ]
  const sensible = fc.oneof(
    fc.constantFrom<unknown>(
      [callback],
      ['authorization_code'],
      ['client_credentials'],
      ['code'],
      [],
      'none',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'HS256',
      'ES256',
      'RS256',
      'openid',
      'web',
      'native',
      'https://client.example/x',
      'http://localhost/cb',
      ['http://localhost/cb', 'com.example:/cb'],
      true,
      false,
      { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }
    ),
    fc.jsonValue({ maxDepth: 4 }),
    fc.string({ unit: anyCharacter })
  )
  const members = fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() }),
    sensible,
    { maxKeys: 4 }
  )
  // what is good in itself, and then something else
  const metadata = fc.tuple(fc.constantFrom<object>({}, web, machine), members).map(([good, other]) => ({ ...good, ...other }))

  it('is registered as a client that can be read again, or refused by name', async () => {
    const { store, written } = recordingStore(memoryStore())
    const { app, errors } = await registrationHarness(
      {},
      { store, fetchJson: () => Promise.reject(new Error('no network here')) }
    )
    const seen = new Set<number>()
    await fc.assert(
      fc.asyncProperty(metadata, async document => {
        const { status, body } = await send(app, document)
        seen.add(status)
        expect([201, 400]).toContain(status)
        if (status === 400)
          expect(body.error).toMatch(
            /^(?:invalid_client_metadata|invalid_redirect_uri|(?:invalid|unapproved)_software_statement)$/
          )
        else expect(manageable(body)).toBe(true)
      }),
      { numRuns: runs(250) }
    )
    expect([...seen].sort()).toEqual([201, 400])
    for (const text of written) {
      const [, record] = JSON.parse(text) as [unknown, { metadata: ClientMetadata }]
      expect(() => toClient(record.metadata, 'client', [{ id: '', expires_at: undefined }])).not.toThrow()
    }
    expect(errors.filter(error => (error as { status?: number }).status === 500)).toEqual([])
  })

  it('replaces a registration whole, or leaves it as it is', async () => {
    const client = await register(app, machine)
    await fc.assert(
      fc.asyncProperty(metadata, async document => {
        const before = (await manage(app, 'get', client)).body
        const { status, body } = await manage(app, 'put', client, { ...document, client_id: client.client_id })
        expect([200, 400]).toContain(status)
        const after = (await manage(app, 'get', client)).body
        expect(after).toEqual(status === 200 ? without(body, 'client_secret') : before)
      }),
      { numRuns: 60 }
    )
  })

  const manageable = ({ registration_client_uri, client_id }: { registration_client_uri: string; client_id: string }) =>
    registration_client_uri.endsWith(`/${client_id}`)
})

it('none of it was a fault', () => {
  expect(errors.filter(error => !(error instanceof Error && 'status' in error && Number(error.status) < 500))).toEqual([])
})
