/** The parts of a run, each with its figures and their Markdown. */
import { cases } from './cases.mjs'
import { measure } from './compare.mjs'
import { startEngine } from './engines.mjs'
import { measureHeld } from './held.mjs'
import { measureMemory } from './memory.mjs'
import {
  cpuTable,
  detailTable,
  fastest,
  isSteady,
  median,
  noiseOf,
  noiseText,
  rowsOf,
  summaryTable,
  table,
  whole
} from './report.mjs'
import { measureStartup } from './startup.mjs'
import { control, entriesFor, others, peers, processCases, processCounts, storeCases, stores, targets } from './targets.mjs'
import { measureWaits } from './waits.mjs'
import { workloadCases } from './workload-cases.mjs'

const subject = 'clientele-create-server'
const megabytes = bytes => (bytes / 1_048_576).toFixed(0)

/** Why a figure is missing or to be doubted, a line for each. */
function faultsOf(rows) {
  return rows.flatMap(({ target, fault, load }) => {
    if (fault !== undefined) return [`\n${target} is void: ${fault}`]
    if (load < 0.9) return []
    return [`\n${target} may be faster than this: the load generator was busy ${whole(load * 100)} % of the time.`]
  })
}

/**
 * Every target in every case, against the floor and against the best peer.
 *
 * @param missing the targets that are not to be had here, and why
 */
export async function compareTargets({ chosen, names, missing, plan, serverKeys, say }) {
  const reports = []
  for (const bench of chosen) {
    const entries = entriesFor(bench, names).map(entry => ({ ...entry, serverKeys }))
    const results = await measure(bench, entries, plan)
    const best = fastest(results, peers)
    const rows = rowsOf(results, { floor: 'floor', 'best peer': best })
    const report = { name: bench.name, title: bench.title, best, rows, noise: noiseOf(results, 'floor', control), missing }
    say(caseText(report))
    reports.push(report)
  }
  return reports
}

function caseText({ title, rows, noise, best }) {
  const control = noise === undefined ? '' : ` A/A control ${noiseText(noise)}.`
  const unsteady = isSteady(noise)
    ? []
    : ['\nThe floor differs from itself by more than 6 %: this table says nothing. Something else ran.']
  const peer = best === undefined ? '' : ` Best peer: ${best}.`
  return [`**${title}**.${control}${peer}\n`, detailTable(rows, ['floor', 'best peer']), ...unsteady, ...faultsOf(rows), ''].join(
    '\n'
  )
}

export function targetsText(reports) {
  const shown = targets.map(({ name }) => name).filter(name => name !== 'floor' && name !== control)
  const measured = shown.filter(name => reports.some(({ rows }) => rows.some(({ target }) => target === name)))
  const details = reports.map(caseText).join('\n')
  const without = leftOut(reports[0]?.missing ?? [])
  const byCpu = `\nThe same by CPU time, as multiples of bare \`node:http\`:\n\n${cpuTable(reports, 'node-http', measured)}`
  return `${[summaryTable(reports, measured), byCpu, ...without].join('\n')}\n\n<details><summary>Each case: req/s, spread, CPU time, against the best peer</summary>\n\n${details}\n</details>`
}

/** Clients without secrets beside those that sign for themselves: CPU time per request, and as multiples of theirs. */
export async function compareWorkloads({ chosen = workloadCases, plan, serverKeys, say }) {
  const entries = chosen.map(bench => ({ name: bench.name, module: subject, serverKeys, bench }))
  const results = await measure(chosen[0], entries, plan)
  const rows = chosen.map(({ name, title, base }) => {
    const fault = results[name].find(({ fault }) => fault !== undefined)?.fault
    if (fault !== undefined) return { name, title, fault }
    const ratios = results[base ?? name]?.map((round, index) => results[name][index].cpu / round.cpu) ?? []
    return {
      name,
      title,
      cpu: median(results[name].map(({ cpu }) => cpu)),
      base,
      ratio: median(ratios),
      least: Math.min(...ratios),
      most: Math.max(...ratios)
    }
  })
  say(workloadsText([{ rows }]))
  return [{ name: 'workloads', title: 'Clients without secrets', rows }]
}

export function workloadsText([{ rows }]) {
  const titles = new Map(workloadCases.map(({ name, title }) => [name, title]))
  const body = rows.map(({ title, fault, cpu, base, ratio, least, most }) =>
    fault === undefined
      ? [
          title,
          whole(cpu),
          base === undefined ? '' : `${ratio.toFixed(2)}× ${titles.get(base)} (${least.toFixed(2)}–${most.toFixed(2)})`
        ]
      : [title, 'void', fault]
  )
  return table([['case', 'CPU µs', 'beside'], ...body])
}

/** One target on each store. */
export async function compareStores({ kinds = stores, chosen = storeCases, plan, serverKeys, say }) {
  const engines = []
  const missing = []
  try {
    for (const kind of kinds) {
      const engine = await startEngine(kind)
      if (engine.missing !== undefined) missing.push(engine)
      else engines.push(engine)
    }
    const entries = engines.map(store => ({ name: store.kind, module: subject, store: addressOf(store), serverKeys }))
    const reports = []
    for (const bench of cases.filter(({ name }) => chosen.includes(name))) {
      const rows = rowsOf(await measure(bench, entries, plan), { memory: 'memory' })
      const report = { name: bench.name, title: bench.title, rows, missing }
      say(storeText(report))
      reports.push(report)
    }
    return reports
  } finally {
    for (const engine of engines) await engine.stop()
  }
}

function addressOf({ kind, address }) {
  return { kind, address }
}

/** What is not to be had on this machine, a line for each. */
function leftOut(missing) {
  return missing.map(({ name, missing }) => `\n${name} is left out: ${missing}.`)
}

function storeText({ title, rows, missing }) {
  const without = leftOut(missing.map(({ kind, missing }) => ({ name: kind, missing })))
  return [`**${title}**\n`, detailTable(rows, ['memory']), ...faultsOf(rows), ...without, ''].join('\n')
}

export function storesText(reports) {
  return reports.map(storeText).join('\n')
}

/** How often each kind of request waits for its store, and what it takes alone: one step after the other, and in one. */
export async function waits({ kinds = stores, rounds, serverKeys, say }) {
  const measured = await measureWaits({ kinds, rounds, serverKeys })
  say(waitsText(measured))
  return measured
}

export function waitsText(measured) {
  const ms = time => time.toFixed(2)
  const rows = measured
    .filter(({ missing }) => missing === undefined)
    .map(({ kind, title, apart, together }) => [
      title,
      kind,
      String(apart.waits),
      String(together.waits),
      ms(apart.time),
      ms(together.time),
      `${(together.time / apart.time).toFixed(2)}×`
    ])
  const head = ['request', 'store', 'waits, one by one', 'in one step', 'ms, one by one', 'in one step', 'in one step takes']
  const without = measured.flatMap(({ kind, missing }) => (missing === undefined ? [] : [`\n${kind} is left out: ${missing}.`]))
  return `${[table([head, ...rows]), ...without].join('\n')}\n`
}

/** One target as one to several processes, none of them on a core of its own. */
export async function compareProcesses({ counts = processCounts, plan, serverKeys, say }) {
  const reports = []
  for (const { name, store: kind } of processCases) {
    const engine = await startEngine(kind)
    const bench = cases.find(one => one.name === name)
    const title = `${bench.title}, ${kind} store`
    if (engine.missing !== undefined) {
      reports.push({ name, title, rows: [], missing: engine.missing })
      continue
    }
    try {
      const common = { module: subject, store: addressOf(engine), serverKeys, pinned: false }
      const entries = counts.map(processes => ({ ...common, name: labelOf(processes), processes }))
      const rows = rowsOf(await measure(bench, entries, plan), { one: labelOf(1) })
      reports.push({ name, title, rows })
    } finally {
      await engine.stop()
    }
    say(processText(reports.at(-1)))
  }
  return reports
}

function labelOf(processes) {
  return processes === 1 ? '1 process' : `${processes} processes`
}

function processText({ title, rows, missing }) {
  if (missing !== undefined) return `**${title}** is left out: ${missing}.\n`
  return [`**${title}**\n`, detailTable(rows, ['one']), ...faultsOf(rows), ''].join('\n')
}

export function processesText(reports) {
  return reports.map(processText).join('\n')
}

export async function memory({ count, say }) {
  const measured = await measureMemory(count)
  say(memoryText(measured))
  return measured
}

export function memoryText(measured) {
  const pause = ({ all, own }) => `${own.toFixed(1)} (${all.toFixed(1)})`
  const rows = measured.map(({ title, count, heap, rss, filling, expiring }) => [
    title,
    whole(count),
    whole(heap),
    whole(rss),
    megabytes(heap * 1_000_000),
    pause(filling),
    pause(expiring)
  ])
  const head = [
    'live',
    'measured',
    'heap bytes each',
    'RSS bytes each',
    'MB per million',
    'longest write in ms, filling',
    'all expired'
  ]
  return `${table([head, ...rows])}\n`
}

/** What each target's process holds once all have given the same number of answers. */
export async function held({ names, answers, connections, serverKeys, say }) {
  const entries = entriesFor(cases[0], names).filter(({ name }) => name !== control && !others.includes(name))
  const measured = await measureHeld(entries, answers, connections, serverKeys)
  say(heldText(measured))
  return measured
}

export function heldText(measured) {
  const base = measured.find(({ target }) => target === 'oidc-provider')
  const rows = measured.map(({ target, started, most, held, each }) => [
    target,
    megabytes(started),
    megabytes(most),
    base === undefined ? '' : (most / base.most).toFixed(2),
    megabytes(held),
    whole(each)
  ])
  const head = ['target', 'RSS MB, started', 'RSS MB, most', '× oidc-provider', 'MB still needed', 'bytes an answer leaves']
  return `${table([head, ...rows])}\n`
}

export async function startup({ names, rounds, serverKeys, say }) {
  const entries = entriesFor(cases[0], names).filter(({ name }) => name !== control)
  const measured = await measureStartup(entries, rounds, serverKeys)
  say(startupText(measured))
  return measured
}

export function startupText(measured) {
  const rows = measured.map(({ target, node, best, time, cpu, rss }) => [
    target,
    node,
    whole(best),
    whole(time),
    whole(cpu),
    megabytes(rss)
  ])
  return `${table([['target', 'Node', 'ms until the first token, best', 'median', 'CPU ms', 'RSS MB'], ...rows])}\n`
}
