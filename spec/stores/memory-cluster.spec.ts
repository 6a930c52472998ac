/** What `memoryStore()` says in a process that shares its work with others. */
import { describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { typescriptArgs } from '../support/processes/typescript-process.ts'

const program = `
import cluster from 'node:cluster'
if (cluster.isPrimary && process.argv[1] === 'workers') {
  const worker = cluster.fork()
  worker.on('message', heard => { console.log(JSON.stringify(heard)); worker.kill() })
} else {
  const { memoryStore } = await import('clientele')
  const heard = []
  process.on('warning', ({ name, message }) => heard.push({ name, message }))
  for (let count = 0; count < 3; count++) memoryStore()
  setTimeout(() => {
    if (cluster.isWorker) process.send(heard)
    else console.log(JSON.stringify(heard))
  }, 50)
}`

async function warningsOf(mode: string): Promise<readonly { name: string; message: string }[]> {
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  const args = [...typescriptArgs, '--no-warnings', '--input-type=module', '--eval', program, mode]
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(child, 'close')
  return JSON.parse(text) as readonly { name: string; message: string }[]
}

describe('memoryStore()', () => {
  it('warns once in a worker of node:cluster', async () => {
    expect(await warningsOf('workers')).toEqual([
      { name: 'ClienteleWarning', message: expect.stringMatching(/not shared between the workers.*redisStore/) }
    ])
  })

  it('has nothing to say in a process of its own', async () => {
    expect(await warningsOf('alone')).toEqual([])
  })
})
