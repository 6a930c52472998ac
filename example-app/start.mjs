/**
 * What `npm start` runs: builds when something is newer than the last build, then serves in this very process, so that
 * signals and exit codes are the server's own. Named as an argument, another program runs in place of the server.
 */
import module from 'node:module'
import { build, refuse } from './build.mjs'

const programs = { serve: 'main.js', 'rotate-keys': 'rotate-keys.js' }
const program = programs[process.argv[2] ?? 'serve']
if (program === undefined) refuse(`there is no such program; there are ${Object.keys(programs).join(', ')}`)

await build()
// from the second start on, only what changed is compiled; Node 20 has no such cache
module.enableCompileCache?.()
await import(`../dist/example-app/${program}`)
