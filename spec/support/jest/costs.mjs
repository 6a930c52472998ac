/**
 * A reporter of what the spec files cost, in seconds of CPU: `npm test -- --reporters=default --reporters=./spec/support/jest/costs.mjs`.
 * Of each: altogether, all threads of its worker included; until its first test; and of the processes it started and saw the end of,
 * where Linux tells.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const shown = 60
const ticksPerSecond = 100

const own = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Of processes that have ended; of those they had started, too. */
function ofChildren() {
  if (!existsSync('/proc/self/stat')) return 0
  // after the name, which may hold anything, they are the fourteenth and the fifteenth
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
}

/** Counts a spec file's; undefined: nobody asked. */
export function costOf(testPath, project = '') {
  const file = process.env.SPEC_COSTS
  if (file === undefined) return undefined
  const begun = { own: own(), children: ofChildren() }
  let load = 0
  return {
    loaded() {
      load = own() - begun.own
    },
    end() {
      const children = ofChildren() - begun.children
      const all = own() - begun.own + children
      appendFileSync(file, `${JSON.stringify({ spec: relative('.', testPath), project, all, load, children })}\n`)
    }
  }
}

export default class CostsReporter {
  folder = mkdtempSync(join(tmpdir(), 'clientele-costs-'))

  constructor() {
    // the workers inherit it
    process.env.SPEC_COSTS = join(this.folder, 'costs.jsonl')
  }

  onRunComplete() {
    const costs = readFileSync(process.env.SPEC_COSTS, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    rmSync(this.folder, { recursive: true })
    const sum = name => costs.reduce((total, cost) => total + cost[name], 0)
    const row = (all, load, children, what) =>
      console.log(`${[all, load, children].map(seconds => seconds.toFixed(2).padStart(8)).join('')}  ${what}`)
    console.log('     all    load children')
    row(sum('all'), sum('load'), sum('children'), `${costs.length} files`)
    for (const { all, load, children, spec, project } of costs.sort((a, b) => b.all - a.all).slice(0, shown))
      row(all, load, children, `${spec} (${project})`)
  }
}
