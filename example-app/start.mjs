/**
 * What `npm start` runs: bundles when something is newer than the last bundle, then serves in this very process, so that
 * signals and exit codes are the server's own. Named as an argument, another program runs in place of the server.
 */
import module from 'node:module'
import { bundle } from './bundle.mjs'

const programs = { serve: 'main.js', 'rotate-keys': 'rotate-keys.js' }
const program = programs[process.argv[2] ?? 'serve']
if (program === undefined) refuse(`there is no such program; there are ${Object.keys(programs).join(', ')}`)

await bundle().catch(error => refuse(error.message))
// from the second start on, nothing is compiled that has not changed; Node 20 has no such cache
module.enableCompileCache?.()
await import(`../dist/example-app/${program}`)

function refuse(reason) {
  console.error(reason)
  process.exit(1)
}
