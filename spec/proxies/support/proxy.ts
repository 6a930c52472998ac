/** Runs nginx, HAProxy and Apache httpd as children of the suite, on free ports, out of a folder of their own. */
import { afterAll } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../example-app/running-server.ts'
import { localBlock, proxyNames, type Places, type ProxyName, type Variant } from './documented.ts'

export interface Proxy {
  readonly port: number
  readonly stop: () => Promise<void>
}

interface Setup {
  readonly binary: string
  readonly arguments: (file: string) => readonly string[]
  /** What the documented block stands in. */
  readonly around: (block: string, folder: string, port: number) => string
}

const modules = ['mpm_event', 'authz_core', 'ssl', 'socache_shmcb', 'headers', 'proxy', 'proxy_http']

const setups: Readonly<Record<ProxyName, Setup>> = {
  nginx: {
    binary: 'nginx',
    arguments: file => ['-c', file, '-e', 'stderr'],
    around: (block, folder) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/${kind};`)
      return `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; ${temporary.join(' ')}
${block}}\n`
    }
  },
  haproxy: {
    binary: 'haproxy',
    arguments: file => ['-db', '-f', file],
    around: block => `global\n    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults\n    timeout connect 10s\n    timeout client 60s\n    timeout server 60s\n${block}`
  },
  apache: {
    binary: 'apache2',
    arguments: file => ['-X', '-f', file],
    around: (block, folder, port) =>
      [
        ...modules.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
        `ServerRoot ${folder}\nDefaultRuntimeDir ${folder}\nPidFile ${folder}/pid\nErrorLog ${folder}/log\nServerName localhost`,
        // it does not serve as root
        ...(process.getuid?.() === 0 ? ['User www-data\nGroup www-data'] : []),
        `Listen 127.0.0.1:${port}`,
        block
      ].join('\n')
  }
}

function pathOf(binary: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, binary)).find(path => existsSync(path))
}

const missing = proxyNames.filter(name => pathOf(setups[name].binary) === undefined)
// a suite that quietly does not run looks exactly like one that passes
if (missing.length > 0 && (process.env['CI'] ?? '') !== '') throw new Error(`not installed: ${missing.join(', ')}`)

/** The proxies installed here; all of them wherever `CI` is set. */
export const installed: readonly ProxyName[] = proxyNames.filter(name => !missing.includes(name))

const running = new Set<ChildProcess>()
let over = false

// a spec that fails halfway, or gives up waiting, leaves nothing behind
afterAll(() => {
  over = true
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a proxy with its documented block. `places.folder` has the files that block names. */
export async function startProxy(name: ProxyName, variant: Variant, places: Omit<Places, 'port'>): Promise<Proxy> {
  const port = await freePort()
  if (over) throw new Error('the suite is over')
  const own = mkdtempSync(join(places.folder, `${name}-`))
  const file = join(own, 'configuration')
  const { binary, arguments: given, around } = setups[name]
  writeFileSync(file, around(localBlock(name, variant, { ...places, port }), own, port))
  const child = spawn(pathOf(binary) ?? binary, given(file), { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('close', () => running.delete(child))
  const closed = once(child, 'close')
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  // Apache does not write to what it inherits
  const log = join(own, 'log')
  await untilListening(child, port, () => printed.join('') + (existsSync(log) ? readFileSync(log, 'utf8') : ''))
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM')
      const killed = setTimeout(() => child.kill('SIGKILL'), 5000)
      await closed
      clearTimeout(killed)
    }
  }
}

async function untilListening(child: ChildProcess, port: number, printed: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break
    if (await accepts(port)) return
    await pause(100)
  }
  child.kill('SIGKILL')
  throw new Error(`the proxy does not listen: ${printed()}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
  })
}
