/**
 * An hour of everything at once: all cases in turn at one rate, on `createServer`, with each store a server of its own, all of them at the same time.
 * Tokens live for a minute and a half, so that after ten minutes as much expires as is added, and what grows after that is a leak. Markdown tables:
 *
 *   npm run build && node bench/stage.mjs && node bench/soak.mjs
 *   node bench/soak.mjs --store memory --minutes 4 --rate 100
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { commonOf } from './compare.mjs'
import { startEngine } from './engines.mjs'
import { between, table, whole } from './report.mjs'
import { mixOf, Load } from './soak/mix.mjs'
import { atRate, Connections, partsOf } from './soak/pace.mjs'
import { recordsOf } from './soak/records.mjs'
import { stores } from './targets.mjs'
import { startTarget } from './workers.mjs'

/** Seconds. What is kept longest, which is what a person has granted, is kept for four times the last two together: ten minutes. */
const lifetimes = { authorizationCodeTtl: 60, refreshTokenTtl: 60, accessTokenTtl: 90 }
/** Requests a second at least: of fewer, what was made ahead for them would be over before its turn. */
const leastRate = 10
/** How often refusals are tried, each second. */
const refusalRate = 1 / 60
/** Faults that are shown. */
const mostShown = 20
/** Milliseconds between two looks at the clock of this process. */
const resolution = 10

const { values: flags } = parseArgs({
  options: {
    store: { type: 'string', multiple: true, default: ['memory', 'postgres'] },
    rate: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '60' },
    report: { type: 'string' }
  }
})

function numberOf(flag, least) {
  const number = Number(flags[flag])
  if (!(number >= least)) throw new TypeError(`--${flag} must be a number, and ${least} at least`)
  return number
}

const plan = { rate: numberOf('rate', leastRate), minutes: numberOf('minutes', 1) }
const unknown = flags.store.find(kind => !stores.includes(kind))
if (unknown !== undefined) throw new TypeError(`--store ${unknown}: there is ${stores.join(', ')}`)

const megabytes = bytes => (bytes === undefined ? '–' : (bytes / 2 ** 20).toFixed(0))
const milliseconds = value => value.toFixed(1)
const head = [
  'minutes',
  'answers',
  'p50 ms',
  'p99 ms',
  'longest ms',
  'longest pause ms',
  'of who asks',
  'CPU µs',
  'RSS MB, at most',
  'at the end',
  'heap MB, collected',
  'records',
  'MB of them',
  'faults'
]

/** Adds a row, and shows it to whoever waits for the whole. */
function tell(kind, rows, row) {
  rows.push(row)
  console.error([new Date().toISOString(), kind, ...row].join('  '))
}

/** One store's soak from its start to its end. */
async function soak(kind) {
  const engine = await startEngine(kind)
  if (engine.missing !== undefined) return { kind, text: `No figures: ${engine.missing}.` }
  const { mix, clients } = mixOf(cases)
  const setting = { ...commonOf(cases[0]), client: clients[0], clients, lifetimes, store: { kind, address: engine.address } }
  const target = await startTarget('soak', { ...setting, processes: 1, pinned: false, inTurns: false }, ['--expose-gc'])
  const { port, jwks } = target.address
  const connections = new Connections(port)
  const faults = []
  const load = new Load({ mix, connections, port, jwks, lifetime: lifetimes.accessTokenTtl }, (name, fault) => {
    faults.push(`${new Date().toISOString()} ${name}: ${fault}`)
    if (faults.length <= mostShown) console.error(`${kind}: ${faults.at(-1)}`)
  })
  const rows = []
  try {
    await load.prepare()
    const parts = partsOf(plan.minutes)
    for (const part of parts) tell(kind, rows, await rowOf({ part, load, target, engine, faults, isEdge: isEdge(part, parts) }))
  } finally {
    connections.close()
    await target.stop()
    await engine.stop()
  }
  const shown = faults.slice(0, mostShown).map(fault => `- ${fault}`)
  return { kind, faults: faults.length, text: [table([head, ...rows]), ...(shown.length > 0 ? ['', ...shown] : [])].join('\n') }
}

/** Where everything is collected: elsewhere the process is left to itself. */
const isEdge = (part, parts) => part === parts[0] || part === parts.at(-1)

async function rowOf({ part: [from, to], load, target, engine, faults, isEdge }) {
  const seconds = (to - from) * 60
  const known = faults.length
  const times = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 })
  const own = monitorEventLoopDelay({ resolution })
  const took = time => times.record(Math.max(1, Math.round(time * 1000)))
  const before = await target.ask('window')
  own.enable()
  await Promise.all([
    atRate(plan.rate, seconds, (index, due) => load.send(index, due, took)),
    atRate(refusalRate, seconds, () => load.tryRefusals())
  ])
  own.disable()
  const after = await target.ask('window')
  load.judgeSample()
  const held = isEdge ? (await target.held()).bytes : undefined
  const { count, bytes } = await recordsOf(engine, target)
  return [
    `${+from.toFixed(2)}–${+to.toFixed(2)}`,
    whole(times.count),
    ...[times.percentile(50), times.percentile(99), times.max].map(microseconds => milliseconds(microseconds / 1000)),
    milliseconds(after.pause),
    milliseconds(Math.max(0, own.max / 1e6 - resolution)),
    whole((after.cpu - before.cpu) / times.count),
    megabytes(after.most),
    megabytes(after.rss),
    megabytes(held),
    whole(count),
    megabytes(bytes),
    whole(faults.length - known)
  ]
}

const model = (cpus()[0]?.model ?? 'unknown processor').trim()
const where = `Node ${process.version}, ${availableParallelism()} cores (${model})`
const command = ['node bench/soak.mjs', ...process.argv.slice(2)].join(' ')
const started = new Date().toISOString().slice(0, 16).replace('T', ' ')
const results = await Promise.all(flags.store.map(soak))
const caption = `${started} UTC, ${where}, ${plan.rate} requests a second for ${plan.minutes} minutes; \`${command}\``
const text = `${caption}:\n\n${results.map(({ kind, text }) => `**${kind}**\n\n${text}`).join('\n\n')}`
console.log(text)
if (flags.report !== undefined) writeFileSync(flags.report, between(readFileSync(flags.report, 'utf8'), 'soak', text))
process.exitCode = results.every(({ faults }) => faults === 0) ? 0 : 1
