/**
 * The bench: starts every target in a process of its own and drives them in interleaved rounds, the floor twice so that
 * the noise of the machine can be read off. See README.md.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cases, es256Key, publicHalf } from './cases.mjs'
import { topOf } from './profile.mjs'
import { median, rowsOf, tableOf } from './report.mjs'
import { isPinned, startLoad, startTarget } from './workers.mjs'

const bases = ['floor', 'oidc-provider']
const control = 'floor again'
const moduleOf = { [control]: 'floor' }

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '32' },
    case: { type: 'string', multiple: true, default: cases.map(({ name }) => name) },
    target: {
      type: 'string',
      multiple: true,
      default: ['floor', 'oidc-provider', 'oidc-provider-in-express', 'clientele', 'clientele-create-server']
    },
    json: { type: 'string' },
    profile: { type: 'string' }
  }
})
const plan = {
  rounds: Number(flags.rounds ?? (flags.quick ? 3 : 7)),
  seconds: Number(flags.seconds ?? (flags.quick ? 1 : 2)),
  connections: Number(flags.connections)
}
for (const [flag, value] of Object.entries(plan)) if (!(value > 0)) throw new TypeError(`--${flag} must be a number above 0`)

/** How many requests a window can use up at most, with room for a target that turns out faster than it was. */
function countFor(rate) {
  return Math.ceil(rate * plan.seconds * 1.5) + plan.connections
}

function settingOf(bench) {
  const clientKey = es256Key('client')
  return { clientKey, setting: { bench, clientJwk: publicHalf(clientKey), signingJwk: es256Key('server') } }
}

function orderFor(bench, target, clientKey) {
  return { caseName: bench.name, target: target.address, clientKey, ...plan }
}

/** Checks that a target can be compared, then drives it until its code is compiled; answers with its rate, or a fault. */
async function warmUp(load, order) {
  const { fault } = await load.order('probe', order)
  if (fault !== undefined) return { fault }
  const first = await load.order('drive', { ...order, count: countFor(4000) })
  return first.fault === undefined ? load.order('drive', { ...order, count: countFor(first.rate * 1.5) }) : first
}

/** One window. CPU time per answer is the steadier figure where other work shares the machine. */
async function driveRound(load, target, order) {
  const before = await target.cpuTime()
  const round = await load.order('drive', order)
  return { ...round, cpu: ((await target.cpuTime()) - before) / round.answers }
}

async function measure(bench, names) {
  const { clientKey, setting } = settingOf(bench)
  const load = startLoad()
  const targets = []
  try {
    for (const name of names) targets.push(await startTarget(moduleOf[name] ?? name, setting))
    const entries = []
    for (const [index, target] of targets.entries()) {
      const order = orderFor(bench, target, clientKey)
      const warm = await warmUp(load, order)
      entries.push({ name: names[index], target, order, rate: warm.rate, rounds: warm.fault === undefined ? [] : [warm] })
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const { target, order, rate, rounds } of entries) {
        if (rounds.every(({ fault }) => fault === undefined))
          rounds.push(await driveRound(load, target, { ...order, count: countFor(rate) }))
      }
    }
    return Object.fromEntries(entries.map(({ name, rounds }) => [name, rounds]))
  } finally {
    await Promise.all([load, ...targets].map(worker => worker.stop()))
  }
}

/** Drives one target alone under the CPU profiler and prints where its own time went. */
async function profile(bench, name) {
  const { clientKey, setting } = settingOf(bench)
  const directory = mkdtempSync(join(tmpdir(), `bench-${bench.name}-`))
  const target = await startTarget(name, setting, ['--cpu-prof', `--cpu-prof-dir=${directory}`])
  const load = startLoad()
  try {
    const order = orderFor(bench, target, clientKey)
    const { rate, fault } = await warmUp(load, order)
    const last = fault === undefined ? await load.order('drive', { ...order, count: countFor(rate) }) : { fault }
    if (last.fault !== undefined) throw new Error(`${name}, ${bench.name}: ${last.fault}`)
  } finally {
    await Promise.all([load.stop(), target.stop()])
  }
  console.log(`### ${bench.title}: ${name}, share of busy time (${directory})\n`)
  for (const { name: place, share } of topOf(directory)) console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${place}`)
  console.log('')
}

function noiseOf(results) {
  const [floor, again] = [results.floor, results[control]]
  if (![floor, again].every(rounds => rounds?.every(({ fault }) => fault === undefined))) return ''
  const ratios = again.map(({ rate }, index) => rate / floor[index].rate)
  const [low, middle, high] = [Math.min(...ratios), median(ratios), Math.max(...ratios)].map(ratio => ratio.toFixed(2))
  return `A/A control, the floor against itself: ${middle} (${low}–${high} over the rounds)\n`
}

async function compare(chosen, names) {
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${new Date().toISOString().slice(0, 10)}`
  )
  console.log(isPinned ? 'targets on core 0, load on core 1' : 'not pinned to cores')
  console.log(`${plan.rounds} rounds of ${plan.seconds} s, ${plan.connections} connections\n`)
  const report = []
  for (const bench of chosen) {
    const results = await measure(bench, names)
    const rows = rowsOf(results, bases)
    console.log(tableOf(bench.title, rows, bases))
    console.log(noiseOf(results))
    for (const { target, fault } of rows) if (fault !== undefined) console.log(`${target} is void: ${fault}\n`)
    report.push({ case: bench.name, rows })
  }
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, null, 2)}\n`)
  return report.every(({ rows }) => rows.every(({ fault }) => fault === undefined))
}

const chosen = cases.filter(({ name }) => flags.case.includes(name))
if (flags.profile !== undefined) {
  for (const bench of chosen) await profile(bench, flags.profile)
} else {
  const names = flags.target.includes('floor') ? [...flags.target, control] : flags.target
  process.exitCode = (await compare(chosen, names)) ? 0 : 1
}
