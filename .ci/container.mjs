/**
 * The container of the example app, built and run where an engine answers. Elsewhere its very commands run in a clean folder: every COPY and RUN of the
 * build stage, and then the server as the last stage would start it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'clientele-container-'))
const port = 3000 + Math.floor(Math.random() * 20_000)
const issuer = `http://localhost:${port}`
const client = {
  client_id: 'machine',
  client_secret: 'a-secret-for-trying',
  grant_types: ['client_credentials'],
  response_types: []
}
writeFileSync(join(folder, 'server.json'), JSON.stringify({ issuer, listen: { host: '0.0.0.0', port }, clients: [client] }))

const engine = spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0
try {
  const stop = engine ? inEngine() : inFolder()
  await answers()
  stop()
  console.log(engine ? 'the container was built and ran' : 'no container engine: its commands ran in a clean folder')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run(command, options = {}) {
  const { status } = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`)
}

function inEngine() {
  run(['docker', 'build', '--tag', 'clientele-check', '.'])
  const mount = `${join(folder, 'server.json')}:/etc/clientele/server.json:ro`
  const name = `clientele-check-${process.pid}`
  run([
    'docker',
    'run',
    '--detach',
    '--rm',
    '--name',
    name,
    '--read-only',
    '--publish',
    `${port}:${port}`,
    '--volume',
    mount,
    'clientele-check'
  ])
  return () => run(['docker', 'stop', name])
}

/** What stands between the first FROM and the second. */
function inFolder() {
  const [, build = ''] = readFileSync('Dockerfile', 'utf8').split(/^FROM .*$/m)
  const [home, runtime] = [join(folder, 'build'), join(folder, 'runtime')]
  mkdirSync(home)
  for (const line of build.trim().split('\n')) {
    const [instruction, ...words] = line.split(' ')
    if (instruction === 'COPY') copy(words, home)
    else if (instruction === 'RUN') run(['sh', '-c', words.join(' ').replaceAll(' /runtime', ` ${runtime}`)], { cwd: home })
    else if (instruction !== 'WORKDIR') throw new Error(`there is no such instruction here: ${line}`)
  }
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    CONFIG: join(folder, 'server.json'),
    STORE_URL: `sqlite:${join(folder, 'store.db')}`
  }
  const server = spawn(process.execPath, ['dist/example-app/main.js'], {
    cwd: runtime,
    env,
    stdio: ['ignore', 'inherit', 'inherit']
  })
  return () => server.kill('SIGTERM')
}

function copy(words, home) {
  const sources = words.slice(0, -1)
  const target = words.at(-1) === './' ? '' : words.at(-1)
  for (const source of sources) cpSync(source, join(home, target === '' ? source : target), { recursive: true })
}

/** Healthy, and gives a token. */
async function answers() {
  for (let attempt = 0; ; attempt += 1) {
    const healthy = await fetch(`${issuer}/readyz`).then(
      ({ ok }) => ok,
      () => false
    )
    if (healthy) break
    if (attempt > 120) throw new Error('the server did not become ready')
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  const authorization = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const { status } = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers: { authorization }, body })
  const page = await fetch(`${issuer}/account`)
  if (status !== 200 || page.status !== 200)
    throw new Error(`a token request was answered with ${status}, a page with ${page.status}`)
}
