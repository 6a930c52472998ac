/**
 * Server processes, and then the database itself, are killed in the middle of a thousand rotations of refresh tokens and two
 * hundred redemptions of codes. Nothing that was answered is lost, nothing is good twice, and whoever lost an answer gets it by
 * asking again.
 */
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { basic, codeFor, redemption, startCluster, type Cluster } from './cluster.ts'
import { engines, type RunningEngine } from './engines.ts'
import { redeemAll, rotateAll, startFamilies, type Client, type Load, type RedeemedCode } from './load.ts'
import { report } from './report.ts'
import { callback } from './setup.ts'

jest.setTimeout(600_000)

const families = 20
const turns = 50
const redemptions = 200
/** After so many rotations something crashes. */
const crashes = [250, 500, 750]

const secret = 'a secret of letters and spaces alone'
const client: Client = { client_id: 'web', headers: basic('web', secret) }
const clients = [
  {
    client_id: 'web',
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [callback]
  }
]

let engine: RunningEngine | undefined
let cluster: Cluster | undefined

afterEach(async () => {
  await cluster?.stop()
  await engine?.stop()
})

/** The generation of a refresh token, which stands in it after its grant. */
const generationOf = (token: string) => Buffer.from(token, 'base64url').readUInt32BE(16)

interface Survived {
  readonly load: Load
  readonly codes: readonly RedeemedCode[]
}

/** Lets the clients work while `crash` is called now and then. */
async function workThrough(running: Cluster, crash: (count: number) => Promise<void>): Promise<Survived> {
  const load = await startFamilies(running, client, families)
  const codes: string[] = []
  for (let index = 0; index < redemptions; index++) codes.push(await codeFor(running, index, 'web', `code ${index}`))
  const crashing: Promise<void>[] = []
  const [redeemed] = await Promise.all([
    redeemAll(running, client, codes),
    rotateAll(running, client, load, turns, rotations => {
      if (crashes.includes(rotations)) crashing.push(crash(crashing.length))
    })
  ])
  await Promise.all(crashing)
  return { load, codes: redeemed }
}

/** How many of them get this status at the token endpoint, or at userinfo. */
async function countOf(status: number, asked: readonly Promise<{ readonly status: number }>[]): Promise<number> {
  return (await Promise.all(asked)).filter(answer => answer.status === status).length
}

async function expectNothingLost(running: Cluster, { load, codes }: Survived): Promise<Readonly<Record<string, number>>> {
  const { headers } = client
  const accessTokens = load.families.flatMap(family => family.accessTokens)
  const known = await countOf(
    200,
    accessTokens.map((token, index) => running.ask(index, '/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } }))
  )
  expect(known).toBe(families * (turns + 1))
  // every rotation was one: none was lost, and none was made twice for a client that asked again
  expect(load.families.map(({ tokens }) => tokens.map(generationOf))).toEqual(
    load.families.map(() => Array.from({ length: turns + 1 }, (_, generation) => generation))
  )
  expect(load.rotations).toBe(families * turns)
  expect(load.lost).toBeGreaterThan(0)
  expect(load.repeated).toBe(load.lost)
  const refresh = (refresh_token: string, node: number) =>
    running.ask(node, '/oauth2/token', { form: { grant_type: 'refresh_token', refresh_token }, headers })
  expect(
    await countOf(
      200,
      load.families.map(({ token }, index) => refresh(token, index))
    )
  ).toBe(families)
  const again = codes.map(({ code }, index) => running.ask(index, '/oauth2/token', { form: redemption(code), headers }))
  const respent = await countOf(200, again)
  expect(respent).toBe(0)
  expect(
    await countOf(
      200,
      load.families.map(({ tokens: [first = ''] }, index) => refresh(first, index))
    )
  ).toBe(0)
  return {
    rotations: load.rotations,
    answersLost: load.lost,
    sameSuccessor: load.repeated,
    tokensAnswered: accessTokens.length,
    tokensKnown: known,
    codesAnswered: codes.filter(({ outcome }) => outcome === 'answered').length,
    codesSpentWithoutAnswer: codes.filter(({ outcome }) => outcome !== 'answered').length,
    codesSpentTwice: respent
  }
}

describe.each(['SQLite', 'PostgreSQL', 'Redis'])('on %s', name => {
  it('loses nothing when server processes are killed', async () => {
    engine = await (engines[name] as () => Promise<RunningEngine>)()
    const running = (cluster = await startCluster(engine.store, clients))
    const survived = await workThrough(running, count => running.killAndRestart(count))
    report({
      test: 'server process killed',
      engine: name,
      kills: crashes.length,
      ...(await expectNothingLost(running, survived))
    })
  })
})

describe.each(['PostgreSQL', 'Redis'])('on %s', name => {
  it('loses nothing when the database is killed', async () => {
    const { server, store } = (engine = await (engines[name] as () => Promise<RunningEngine>)())
    if (server === undefined) throw new Error(`${name} has no server to kill`)
    const running = (cluster = await startCluster(store, clients))
    const survived = await workThrough(running, async () => {
      await server.kill()
      await server.start()
    })
    report({ test: 'database killed', engine: name, kills: crashes.length, ...(await expectNothingLost(running, survived)) })
  })
})
