/** Reads what --cpu-prof wrote: where a target spent its own time, by function. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const idle = ['(idle)', '(program)', '(root)']

/** The functions with the most self time, as shares of the busy time. */
export function topOf(directory, count = 15) {
  const [file] = readdirSync(directory).filter(name => name.endsWith('.cpuprofile'))
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(directory, file), 'utf8'))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map()
  samples.forEach((id, index) => {
    const name = nameOf(frames.get(id))
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index])
  })
  const busy = [...times].filter(([name]) => !idle.includes(name))
  const total = busy.reduce((sum, [, time]) => sum + time, 0)
  return busy
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => ({ name, share: time / total }))
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const file = url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/(dist|bench)\//, '$1/')
  return `${name} ${file}:${lineNumber + 1}`
}
