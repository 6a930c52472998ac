#!/usr/bin/env node
/** What `npx clientele` runs. The package brings the command built; a checkout builds what is stale first. */
import { existsSync, readFileSync } from 'node:fs'

const builder = new URL('../example-app/build.mjs', import.meta.url)
if (existsSync(builder)) {
  const { build } = await import(builder.href)
  await build(doing => process.stderr.write(`${doing}\n`))
}
const { main } = await import('../dist/cli/main.js')
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

// a reader that has seen enough, such as `head`, is no failure
process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 2))
process.exitCode = await main(process.argv.slice(2), {
  version,
  env: process.env,
  stdin: process.stdin,
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text)
})
