/** docs/events.md names every event, span and metric there is, and no other. */
import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const docs = read('docs/events.md')
const firstCells = (pattern: RegExp) =>
  [...docs.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell).filter(cell => pattern.test(cell))

it('names the events there are', () => {
  const declared = ['events', 'client-events', 'shadow-events'].map(file => read(`lib/events/${file}.ts`)).join('')
  const inCode = [...declared.matchAll(/'([a-z_]+\.[a-z]+)'/g)].map(([, type = '']) => type)
  expect(firstCells(/^(?!clientele|assertionDials)[a-z_]+\.[a-z]+$/).sort()).toEqual([...new Set(inCode)].sort())
  expect(inCode.length).toBeGreaterThan(20)
})

it('names the metrics and spans there are', () => {
  const metrics = [...read('lib/events/telemetry.ts').matchAll(/'(clientele\.[a-z._]+)'/g)].map(([, name = '']) => name)
  const sources = read('lib/authentication/watch.ts') + read('lib/token-endpoint/watch.ts')
  const spans = [...sources.matchAll(/beginOperation\('([a-z_]+)'/g)].map(([, name = '']) => `clientele.${name}`)
  expect(firstCells(/^clientele\./).sort()).toEqual([...metrics, ...spans].sort())
})
