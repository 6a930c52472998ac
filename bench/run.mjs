/** The bench's command line. See README.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { generateKeys } from '../dist/lib/index.js'
import { cases } from './cases.mjs'
import { writeCharts } from './chart.mjs'
import { writeStartCharts } from './chart-start.mjs'
import { profiled } from './compare.mjs'
import { topOf } from './profile.mjs'
import { buildPrograms } from './programs.mjs'
import { between, isSteady } from './report.mjs'
import * as section from './sections.mjs'
import { control, targets } from './targets.mjs'
import { isPinned } from './workers.mjs'
import { workloadCases } from './workload-cases.mjs'

const sections = ['cases', 'workloads', 'stores', 'waits', 'processes', 'held', 'memory', 'startup']
/** Starts take as long every time. */
const mostStarts = 10
const many = { type: 'string', multiple: true }

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'warm-up': { type: 'string' },
    connections: { type: 'string', default: '32' },
    count: { type: 'string' },
    section: many,
    case: many,
    target: many,
    store: many,
    processes: many,
    json: { type: 'string' },
    report: { type: 'string' },
    profile: { type: 'string' }
  }
})

function numberOf(flag, value) {
  const number = Number(value)
  if (!(number > 0)) throw new TypeError(`--${flag} must be a number above 0`)
  return number
}

/** The values of a flag that can be given more than once. @throws TypeError naming one there is not. */
function chosenOf(flag, known) {
  const unknown = flags[flag]?.find(value => !known.includes(value))
  if (unknown !== undefined) throw new TypeError(`--${flag} ${unknown}: there is ${known.join(', ')}`)
  return flags[flag]
}

const caseNames = chosenOf(
  'case',
  [...cases, ...workloadCases].map(({ name }) => name)
)
const targetNames = chosenOf(
  'target',
  targets.map(({ name }) => name)
)
const storeNames = chosenOf('store', ['memory', 'sqlite', 'postgres', 'redis'])
const counts = flags.processes?.map(count => numberOf('processes', count))
const plan = {
  rounds: numberOf('rounds', flags.rounds ?? (flags.quick ? 25 : 75)),
  seconds: numberOf('seconds', flags.seconds ?? 0.04),
  warmUp: numberOf('warm-up', flags['warm-up'] ?? (flags.quick ? 3 : 8)),
  connections: numberOf('connections', flags.connections)
}
const count = numberOf('count', flags.count ?? (flags.quick ? 100_000 : 1_000_000))

const answers = flags.quick ? 30_000 : 100_000

/** What a flag is about is what runs; without any, everything does. */
function chosenSections() {
  const given = chosenOf('section', sections)
  if (given !== undefined) return given
  const implied = [
    ...(targetNames !== undefined ? ['cases'] : []),
    ...(storeNames !== undefined ? ['stores'] : []),
    ...(counts !== undefined ? ['processes'] : [])
  ]
  if (implied.length > 0) return implied
  return caseNames !== undefined ? ['cases'] : sections
}

function captionOf() {
  const model = (cpus()[0]?.model ?? 'unknown processor').trim()
  const where = `Node ${process.version}, ${availableParallelism()} cores (${model})`
  return `${new Date().toISOString().slice(0, 10)}, ${where}, ${plan.rounds} rounds of ${plan.seconds} s, ${plan.connections} connections`
}

/** Each section's figures, as they are measured. */
async function* measured(say) {
  const asked = targetNames ?? targets.map(({ name }) => name)
  const parts = chosenSections()
  // the first build takes minutes, and is for those sections alone that compare servers
  const compared = parts.some(part => ['cases', 'startup'].includes(part))
  const missing = compared ? buildPrograms(asked, say) : []
  for (const { name, missing: reason } of missing) say(`${name} is left out: ${reason}.\n`)
  const names = asked.filter(name => !missing.some(one => one.name === name))
  if (names.includes('floor') && !names.includes(control)) names.push(control)
  const serverKeys = await generateKeys()
  const chosen = cases.filter(({ name }) => caseNames === undefined || caseNames.includes(name))
  const measures = {
    cases: () => section.compareTargets({ chosen, names, missing, plan, serverKeys, say }),
    workloads: () => section.compareWorkloads({ plan, serverKeys, say }),
    stores: () => section.compareStores({ kinds: storeNames, chosen: caseNames, plan, serverKeys, say }),
    waits: () => section.waits({ kinds: storeNames, rounds: plan.rounds, serverKeys, say }),
    processes: () => section.compareProcesses({ counts, plan, serverKeys, say }),
    held: () => section.held({ names, answers, connections: plan.connections, serverKeys, say }),
    memory: () => section.memory({ count, say }),
    startup: () => section.startup({ names, rounds: Math.min(plan.rounds, mostStarts), serverKeys, say })
  }
  for (const name of parts) yield { [name]: await measures[name]() }
}

const texts = {
  cases: section.targetsText,
  workloads: section.workloadsText,
  stores: section.storesText,
  waits: section.waitsText,
  processes: section.processesText,
  held: section.heldText,
  memory: section.memoryText,
  startup: section.startupText
}

/** Writes each part's figures between its markers, leaving those of other parts as they are. */
function writeReport(file, { caption, command, ...results }) {
  let document = readFileSync(file, 'utf8')
  for (const [name, text] of Object.entries(texts)) {
    if (results[name] === undefined) continue
    document = between(document, name, `${caption}; \`${command}\`:\n\n${text(results[name])}`)
  }
  writeFileSync(file, document)
  if (results.cases !== undefined) writeCharts(results.cases, caption)
  if (results.startup !== undefined) writeStartCharts(results.startup, caption)
}

function isRight(results) {
  const reports = [results.cases, results.workloads, results.stores, results.processes].flatMap(reports => reports ?? [])
  return reports.every(({ rows, noise }) => rows.every(({ fault }) => fault === undefined) && isSteady(noise))
}

async function profile() {
  const known = [...cases, ...workloadCases]
  for (const bench of known.filter(({ name }) => caseNames === undefined || caseNames.includes(name))) {
    const directory = await profiled(bench, flags.profile, plan)
    console.log(`### ${bench.title}: ${flags.profile}, share of busy time (${directory})\n`)
    for (const { name, share } of topOf(directory)) console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${name}`)
    console.log('')
  }
}

async function run() {
  const caption = captionOf()
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ').replace(' --', ' -- --')
  console.log(`${caption}\n${isPinned ? 'targets on core 0, load on core 1' : 'not pinned to cores'}\n`)
  const results = { caption, command }
  // written after each section: a run that is broken off has not been for nothing
  for await (const figures of measured(text => console.log(text))) {
    Object.assign(results, figures)
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(results, null, 2)}\n`)
    if (flags.report !== undefined) writeReport(flags.report, results)
  }
  process.exitCode = isRight(results) ? 0 : 1
}

await (flags.profile === undefined ? run() : profile())
