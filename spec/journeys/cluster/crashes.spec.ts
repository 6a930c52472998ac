/**
 * Server processes, and then the database itself, are killed in the middle of a thousand rotations of refresh tokens and two
 * hundred redemptions of codes. Nothing that was answered is lost, nothing is good twice, and whoever lost an answer gets it by
 * asking again. `CRASH_ROUNDS=10 npm run test:engines -- spec/journeys/cluster/crashes` for as many rounds as you like.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { clients, credentials } from './clients.ts'
import { redemption, startCluster, type Answer, type Cluster } from './cluster.ts'
import { engines, type RunningEngine } from './engines.ts'
import { startFamilies, work, type Client, type Load } from './load.ts'
import { report } from './report.ts'

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 1)
jest.setTimeout(120_000 + rounds * 120_000)

const families = 25
const processes = 3

const client: Client = { client_id: 'web', headers: credentials }

/** The generation of a refresh token, which stands in it after its grant. */
const generationOf = (token: string) => Buffer.from(token, 'base64url').readUInt32BE(16)

/** Lets the clients work, so many turns each for each of the crashes, which comes when a third of those is done. */
async function workThrough(running: Cluster, turns: number, crashes: readonly (() => Promise<void>)[]): Promise<Load> {
  const load = await startFamilies(running, client, families)
  for (const crash of crashes) {
    const due = load.rotations + Math.floor((families * turns) / 3)
    let over: Promise<void> | undefined
    await work(load, turns, () => {
      if (load.rotations === due) over = crash()
    })
    expect(over).toBeDefined()
    await over
  }
  expect(load.rotations).toBe(families * turns * crashes.length)
  return load
}

/** How often each answer was given, such as `{ '400 invalid_grant': 200 }`. */
async function tally(answers: readonly Promise<Answer>[]): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const { status, body } of await Promise.all(answers)) {
    const outcome = `${status} ${body['error'] ?? ''}`.trim()
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

const userinfo = (cluster: Cluster, token: string, node: number) =>
  cluster.ask(node, '/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } })

/** Resolves when every process has found its way back to the database. */
async function recovered({ cluster, families: [family] }: Load): Promise<void> {
  const token = family?.accessTokens[0] ?? ''
  for (let node = 0; node < cluster.size; node++) while ((await userinfo(cluster, token, node)).status === 503) await pause(50)
}

/** Whether everything the clients were answered with is good, and nothing else is. Ends all of it. */
async function expectNothingLost(load: Load): Promise<Readonly<Record<string, number>>> {
  const { cluster } = load
  const refresh = (refresh_token: string, node: number) =>
    cluster.ask(node, '/oauth2/token', { form: { grant_type: 'refresh_token', refresh_token }, headers: client.headers })
  const rotationsOfEach = load.rotations / families
  const bought = load.codes.flatMap(({ tokens }) => tokens ?? [])

  const accessTokens = [...load.families.flatMap(family => family.accessTokens), ...bought.map(tokens => tokens.access_token)]
  expect(accessTokens).toHaveLength(families + load.rotations + bought.length)
  expect(await tally(accessTokens.map((token, index) => userinfo(cluster, token, index)))).toEqual({ 200: accessTokens.length })
  // every rotation was one: none was lost, and none was made twice for a client that asked again
  expect(load.families.map(({ tokens }) => tokens.map(generationOf))).toEqual(
    load.families.map(() => Array.from({ length: rotationsOfEach + 1 }, (_, generation) => generation))
  )
  expect(load.uncertain).toBeGreaterThan(0)
  expect(load.repeated).toBe(load.uncertain)
  const refreshTokens = [...load.families.map(({ token }) => token), ...bought.map(tokens => tokens.refresh_token)]
  expect(await tally(refreshTokens.map(refresh))).toEqual({ 200: refreshTokens.length })

  const respent = load.codes.map(({ code }, index) =>
    cluster.ask(index, '/oauth2/token', { form: redemption(code), headers: client.headers })
  )
  expect(await tally(respent)).toEqual({ '400 invalid_grant': load.codes.length })
  expect(await tally(load.families.map(({ tokens: [first = ''] }, index) => refresh(first, index)))).toEqual({
    '400 invalid_grant': families
  })
  return {
    rotations: load.rotations,
    requestsWithoutAnswer: load.unanswered,
    answered503: load.unavailable,
    rotationsAskedForAgain: load.uncertain,
    sameSuccessor: load.repeated,
    accessTokensAnsweredAndKnown: accessTokens.length,
    refreshTokensAnsweredAndKnown: refreshTokens.length,
    codes: load.codes.length,
    codesSpentWithoutAnswer: load.codes.length - bought.length,
    codesSpentTwice: 0
  }
}

describe.each(['SQLite', 'PostgreSQL', 'Redis'])('on %s', name => {
  let engine: RunningEngine
  let cluster: Cluster

  beforeAll(async () => {
    engine = await (engines[name] as () => Promise<RunningEngine>)()
    cluster = await startCluster(engine.store, clients, { size: processes })
  })
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop()
    await (engine as RunningEngine | undefined)?.stop()
  })

  it('loses nothing when server processes are killed', async () => {
    const crashes = [
      () => cluster.killAndRestart([0]),
      () => cluster.dieAfter(1, 'swap'),
      () => cluster.dieAfter(2, 'take'),
      () => cluster.killAndRestart([0, 1, 2])
    ]
    for (let round = 0; round < rounds; round++) {
      const load = await workThrough(cluster, 10, crashes)
      // of the code whose taker died nobody heard
      expect(load.codes.some(({ tokens }) => tokens === undefined)).toBe(true)
      const kills = { kills: 4, processesKilled: 6 }
      report({ test: 'server processes killed', engine: name, ...kills, ...(await expectNothingLost(load)) })
    }
  })

  if (name !== 'SQLite')
    it('loses nothing when the database is killed', async () => {
      const { server } = engine
      if (server === undefined) throw new Error(`${name} has no server to kill`)
      const crash = async () => {
        await server.kill()
        await server.start()
      }
      for (let round = 0; round < rounds; round++) {
        const load = await workThrough(cluster, 5, [crash, crash, crash])
        // once more right after the last answers
        await crash()
        await recovered(load)
        report({ test: 'database killed', engine: name, kills: 4, ...(await expectNothingLost(load)) })
      }
    })
})
