/**
 * What `npm start` runs: builds when something is newer than the last build, then serves in this very process, so that
 * signals and exit codes are the server's own. Named as an argument, another program runs in place of the server.
 */
import module from 'node:module'
import { build, refuse } from './build.mjs'

const programs = { serve: 'main.js', 'rotate-keys': 'rotate-keys.js' }
const program = programs[process.argv[2] ?? 'serve']
if (program === undefined) refuse(`there is no such program; there are ${Object.keys(programs).join(', ')}`)

await build(say)
if (program === programs.serve) say('starting')
// from the second start on, only what changed is compiled; Node 20 has no such cache
module.enableCompileCache?.()
await import(`../dist/example-app/${program}`)

/** A line of the log: before there is one, as little of it as its level allows. */
function say(doing) {
  if (!['', 'info', 'debug'].includes(process.env.LOG_LEVEL ?? '')) return
  process.stdout.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg: doing })}\n`)
}
