/** Drives targets in interleaved rounds, so that a slow spell of the machine falls on all of them. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientOf, needsPreparation, newKey } from './cases.mjs'
import { probeCount } from './probe.mjs'
import { startLoad, startTarget } from './workers.mjs'
import { workloadClientOf } from './workload-cases.mjs'

/** Tokens to ask about: enough that no target answers from what it looked up last, few enough for one that searches a list. */
const askedAbout = 256
/** Answers per second of a target nobody has driven yet. */
const firstGuess = 3000
/**
 * How long a target is driven before it counts: until it has answered this often, and for so many seconds at most. On one core V8 has compiled all
 * that a token request needs after some thirty thousand of them; before, a target costs up to eight times what it does for the rest of its life.
 */
const warm = { answers: 30_000, window: 1 }

/**
 * @typedef {object} Entry
 * @property {string} name what the report calls it
 * @property {string} module in targets/
 * @property {{ kind: string, address?: string }} [store]
 * @property {number} [processes]
 * @property {boolean} [pinned] to a core of its own; true by default
 * @property {object} [serverKeys] clientele's; without them it makes its own
 * @property {import('./cases.mjs').Case} [bench] a case of its own, where cases of one target are compared
 *
 * @typedef {{ rounds: number, seconds: number, connections: number, warmUp: number }} Plan `warmUp`: seconds at most
 * @typedef {{ rate: number, answers: number, cpu: number, fault?: string }} Round
 */

/**
 * Measures one case for several targets.
 *
 * @param {readonly Entry[]} entries
 * @param {Plan} plan
 * @returns {Promise<Record<string, Round[]>>} by entry name; a target with a fault has that as its last round
 */
export async function measure(bench, entries, plan) {
  const shared = commonOf(bench)
  const commons = entries.map(({ bench: own }) => (own === undefined ? shared : commonOf(own)))
  const load = startLoad()
  const targets = []
  try {
    for (const [index, entry] of entries.entries())
      targets.push(await orFault(() => startTarget(entry.module, settingOf(commons[index], entry))))
    const runs = []
    for (const [index, { name }] of entries.entries()) {
      const target = targets[index]
      const { bench, clientKey } = commons[index]
      const run = { name, target, load, bench, plan, clientKey, rate: firstGuess, rounds: [] }
      const fault = target.fault ?? (await warmUp(run))
      if (fault !== undefined) run.rounds.push({ fault })
      runs.push(run)
    }
    for (let round = 0; round < plan.rounds; round++) {
      // what runs first in one round runs last in the next: neither place is one target's alone
      const inTurn = round % 2 === 0 ? runs : runs.toReversed()
      for (const run of inTurn)
        if (run.rounds.every(({ fault }) => fault === undefined)) run.rounds.push(await window(run, round))
    }
    return Object.fromEntries(runs.map(({ name, rounds }) => [name, rounds]))
  } finally {
    await Promise.all([load, ...targets].map(worker => worker.stop?.()))
  }
}

export function commonOf(bench) {
  return { bench, ...(workloadClientOf(bench) ?? clientOf(bench)), signingJwk: newKey('ES256', 'server') }
}

export function settingOf(
  { bench, client, more, signingJwk },
  { store = { kind: 'memory' }, processes = 1, pinned = true, serverKeys }
) {
  return { bench, client, more, signingJwk, store, processes, pinned, serverKeys }
}

/** Checks that a target can be compared, then drives it until its code is compiled. Returns its fault, if it has one. */
async function warmUp(run) {
  const { load, bench, target, plan, clientKey } = run
  const { fault } = await orFault(async () => {
    const prepared = needsPreparation(bench) ? await target.prepare(probeCount) : []
    return load.order('probe', { caseName: bench.name, target: target.address, clientKey, prepared })
  })
  if (fault !== undefined) return fault
  const until = performance.now() + plan.warmUp * 1000
  for (let answers = 0, turn = 0; answers < warm.answers && performance.now() < until; turn++) {
    const { rate, answers: more, fault } = await window(run, `warm ${turn}`, warm.window)
    if (fault !== undefined) return fault
    run.rate = rate
    answers += more
  }
  return undefined
}

/** One window. CPU time per answer is the steadier figure where other work shares the machine. */
function window(run, round, seconds = run.plan.seconds) {
  const { load, bench, target, plan, clientKey } = run
  // with room for a target that turns out faster than it was
  const count = Math.ceil(run.rate * seconds * (typeof round === 'number' ? 1.3 : 2)) + plan.connections
  return orFault(async () => {
    const prepared = needsPreparation(bench) ? await target.prepare(preparedFor(bench, count, plan)) : []
    const before = await target.usage()
    const order = { caseName: bench.name, target: target.address, clientKey, prepared, count, round, ...plan, seconds }
    const result = await load.order('drive', order)
    return { ...result, cpu: ((await target.usage()).cpu - before.cpu) / result.answers }
  })
}

function preparedFor({ grant }, count, { connections }) {
  if (grant === 'refresh_token') return connections
  return grant === 'introspection' ? askedAbout : count
}

async function orFault(work) {
  try {
    return await work()
  } catch (error) {
    return { fault: error.message }
  }
}

/** Drives one target alone under the CPU profiler; answers with the folder of the profile. */
export async function profiled(bench, module, plan) {
  const common = commonOf(bench)
  const directory = mkdtempSync(join(tmpdir(), `bench-${bench.name}-`))
  const target = await startTarget(module, settingOf(common, {}), ['--cpu-prof', `--cpu-prof-dir=${directory}`])
  const load = startLoad()
  const run = { target, load, bench, plan, clientKey: common.clientKey, rate: firstGuess }
  try {
    const fault = (await warmUp(run)) ?? (await window(run, 0)).fault
    if (fault !== undefined) throw new Error(`${module}, ${bench.name}: ${fault}`)
  } finally {
    await Promise.all([load.stop(), target.stop()])
  }
  return directory
}
