/**
 * docs/methods shows what happens: diagrams, requests, answers and failures are those of conversations with a server that this spec
 * starts. `npm run docs:methods` writes them anew. Keys, signatures and identifiers differ each time, and nothing else may.
 */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { blocksIn, blocksOf, structureOf, withBlocks, type Recording } from './support/docs/exchanges/page.ts'
import { clientSecretBasic } from './support/docs/exchanges/secrets.ts'
import { codeFlow } from './support/docs/exchanges/assertions.ts'
import { methodNames, record, scripts, statusesInTransition } from './support/docs/exchanges/record.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../docs/${name}.md`, import.meta.url))
const read = (name: string): string => readFileSync(fileOf(name), 'utf8')

/** Holds a page against what happened, or writes it anew. */
function expectShown(name: string, blocks: Readonly<Record<string, string>>): void {
  if (process.env['DOCS_METHODS'] === 'write') writeFileSync(fileOf(name), withBlocks(read(name), blocks))
  const structures = (shown: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(shown).map(([block, text]) => [block, structureOf(text)]))
  expect(structures(blocksIn(read(name)))).toEqual(structures(blocks))
}

const sections = [
  ...[
    'What it is',
    'When to choose it',
    'Register the client',
    'What happens',
    'What the client sends',
    'What the server answers'
  ],
  ...['What the server checks', 'How it fails', 'Moving to it', 'Moving on from it']
]

it('has a script and a page for every method', () => {
  expect(scripts.map(({ method }) => method).sort()).toEqual([...methodNames].sort())
  const listed = [...read('methods/README').matchAll(/^\| \[`(\w+)`\]\(\1\.md\)/gm)].map(([, name]) => name)
  expect(listed).toEqual(scripts.map(({ method }) => method))
})

describe.each(scripts)('$method', script => {
  let recording: Recording
  beforeAll(async () => void (recording = await record(script)))

  it('gets its client a token that the API takes', () => {
    const [token = '', api = ''] = recording.happened.flatMap(one => (one.type === 'answer' ? [one.bytes] : [])).slice(-2)
    expect(token).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"access_token":/)
    expect(api).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"read_by":"billing"/)
  })

  it.each(script.faults)('refuses: $what', fault => {
    const failure = recording.failures.find(({ fault: { what } }) => what === fault.what)
    expect(failure?.answer.status).toBeGreaterThanOrEqual(400)
    expect(failure?.decision?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe(fault.check)
  })

  it('is what its page shows', () => {
    expectShown(`methods/${script.method}`, blocksOf(recording))
    const headings = [...read(`methods/${script.method}`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(sections)
  })
})

// a public client has no second method
it.each(scripts.filter(({ method }) => !['client_secret_basic', 'none'].includes(method)))(
  'a client can move from client_secret_basic to $method, with both in use meanwhile',
  async script => expect(await statusesInTransition(script, clientSecretBasic)).toEqual([200, 200])
)

it('is what the first page of all shows', async () => {
  const flow = blocksOf(await record(codeFlow))
  const { request = '', answer = '' } = blocksOf(await record(clientSecretBasic))
  expectShown('client-authentication', { exchange: flow['exchange'] ?? '', request, answer })
})
