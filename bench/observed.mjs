/**
 * What it costs a token request to be kept, or tried against a candidate, beside what a second authentication costs: a Markdown table.
 * `npm run build` first; then `node bench/observed.mjs`, with cases' names for those alone. Takes about three minutes.
 */
import { cases } from './cases.mjs'
import { measure } from './compare.mjs'
import { table } from './report.mjs'

const targets = ['clientele', 'clientele-recorded', 'clientele-shadow-0', 'clientele-shadow-1', 'clientele-twice']
const plan = { rounds: 31, seconds: 0.15, connections: 32, warmUp: 8 }
const asked = process.argv.slice(2)
const measured = cases.filter(({ name }) => (asked.length === 0 ? ['basic-opaque', 'es256-jwt'] : asked).includes(name))

const middle = values => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]

const rows = []
for (const bench of measured) {
  const entries = targets.map(module => ({ name: module, module }))
  const rounds = await measure(bench, entries, plan)
  const [plain] = targets
  for (const name of targets) {
    const fault = rounds[name].find(round => round.fault !== undefined)?.fault
    if (fault !== undefined) {
      rows.push([bench.title, name, fault, ''])
      process.exitCode = 1
      continue
    }
    const cpu = middle(rounds[name].map(round => round.cpu))
    const more = middle(rounds[name].map((round, index) => round.cpu / rounds[plain][index].cpu - 1))
    rows.push([bench.title, name, cpu.toFixed(1), `${more < 0 ? '' : '+'}${(more * 100).toFixed(1)} %`])
  }
}
console.log(table([['case', 'target', 'CPU per answer, µs', 'beside the first'], ...rows]))
