import { describe, expect, it } from '@jest/globals'
import express from 'express'
import fc from 'fast-check'
import request from 'supertest'
import { readJsonDocument, type JsonDocumentReading } from '../../lib/http/json-document.ts'
import { oauthErrorHandler } from '../../lib/http/error-handler.ts'
import { anyCharacter } from '../support/checks/any-character.ts'

const app = express()
app.post('/', (req, res, next) => {
  readJsonDocument(req, 10_000).then(reading => void res.json(reading), next)
})
app.use(oauthErrorHandler({ onError: () => undefined }))

const read = async (body: string): Promise<JsonDocumentReading> =>
  (await request(app).post('/').type('application/json').send(body)).body as JsonDocumentReading

describe('a JSON document', () => {
  it('is any object, up to eight deep', async () => {
    const document = { a: [1, 'x', null, true, { b: { c: [[[]]] } }], '': '', 'ü\\"': '"\\"' }
    expect(await read(JSON.stringify(document))).toEqual({ outcome: 'read', document })
    expect(await read(`{"a":${'['.repeat(7)}${']'.repeat(7)}}`)).toMatchObject({ outcome: 'read' })
    expect(await read(`{"a":${'['.repeat(8)}${']'.repeat(8)}}`)).toMatchObject({ outcome: 'malformed' })
  })

  it('keeps names that objects have of themselves as what was sent', async () => {
    expect(await request(app).post('/').type('application/json').send('{"__proto__":{"a":1},"constructor":2}')).toMatchObject({
      text: '{"outcome":"read","document":{"__proto__":{"a":1},"constructor":2}}'
    })
  })

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":[{"d":1,"d":2}]}}',
    '{"a":"\\"","a":"\\""}',
    '{"\\u0061":1,"a":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"b":"x"},"a":{}}'
  ])('with the same name twice is malformed: %s', async body => {
    expect(await read(body)).toEqual({ outcome: 'malformed', reason: 'has the same name twice in one object' })
  })

  it('is told from one with a name twice, whatever is in it', async () => {
    const bounded = fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue({ maxDepth: 4, stringUnit: anyCharacter }), {
      maxKeys: 5
    })
    await fc.assert(
      fc.asyncProperty(bounded, fc.string({ unit: anyCharacter }), async (document, name) => {
        const text = JSON.stringify(document)
        expect((await read(text)).outcome).toBe('read')
        const doubled = `{${JSON.stringify(name)}:0,${JSON.stringify(name)}:0${text === '{}' ? '' : ','}${text.slice(1)}`
        expect((await read(doubled)).outcome).toBe('malformed')
      }),
      { numRuns: 60 }
    )
  })
})
