/** Names of strangers, asked of a DNS server of the spec's own. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { dnsLookup } from '../../lib/outbound/dns-lookup.ts'

const records: Readonly<Record<string, Readonly<Record<number, readonly (readonly number[])[]>>>> = {
  'both.example': {
    1: [
      [198, 41, 0, 4],
      [10, 0, 0, 1]
    ],
    28: [[0x20, 1, 5, 3, 0xba, 0x3e, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x30]]
  },
  'four.example': { 1: [[198, 41, 0, 4]] },
  'six.example': { 28: [[0x20, 1, 5, 3, 0xba, 0x3e, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x30]] },
  'none.example': {}
}
let server: Socket
let address: string
let asked: string[] = []

beforeAll(async () => {
  server = createSocket('udp4')
  server.on('message', (query, { port, address: from }) => {
    const { name, type, end } = questionOf(query)
    asked.push(name)
    const answer = answerTo(query.subarray(0, end), records[name]?.[type], records[name] === undefined)
    if (name !== 'silent.example') server.send(answer, port, from)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  address = `127.0.0.1:${server.address().port}`
})
afterAll(() => void server.close())

/** RFC 1035 §4.1.2. */
function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

/** RFC 1035 §4.1.1, §4.1.3. */
function answerTo(question: Buffer, addresses: readonly (readonly number[])[] = [], isUnknown = false): Buffer {
  const header = Buffer.from(question)
  header.writeUInt16BE(isUnknown ? 0x8183 : 0x8180, 2)
  header.writeUInt16BE(addresses.length, 6)
  header.writeUInt32BE(0, 8)
  const type = question.subarray(-4, -2)
  const found = addresses.map(bytes => Buffer.from([0xc0, 12, ...type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]))
  return Buffer.concat([header, ...found])
}

it.each<[string, object[]]>([
  [
    'both.example',
    [
      { address: '198.41.0.4', family: 4 },
      { address: '10.0.0.1', family: 4 },
      { address: '2001:503:ba3e::2:30', family: 6 }
    ]
  ],
  ['four.example', [{ address: '198.41.0.4', family: 4 }]],
  ['six.example', [{ address: '2001:503:ba3e::2:30', family: 6 }]]
])('%s has all of its addresses, of both families', async (name, found) => {
  expect(await dnsLookup(5000, [address])(name)).toEqual(found)
})

it.each(['none.example', 'unknown.example', 'silent.example'])('%s has none, and somebody is told', async name => {
  await expect(dnsLookup(200, [address])(name)).rejects.toThrow(/ENODATA|ENOTFOUND|ETIMEOUT/)
})

it('leaves the names of this machine to the system', async () => {
  asked = []
  const found = await dnsLookup(5000, [address])('localhost')
  expect(found.map(one => one.address)).toContain('127.0.0.1')
  expect(asked).toEqual([])
})

it('goes on answering while a hundred names are not', async () => {
  const lookup = dnsLookup(1000, [address])
  const silent = Array.from({ length: 100 }, () => lookup('silent.example').catch(() => 'given up'))
  expect(await lookup('four.example')).toHaveLength(1)
  expect(new Set(await Promise.all(silent))).toEqual(new Set(['given up']))
})
