/** A database server of a spec's own: started, killed and started again, with its data in a folder of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

export { freePort } from '../support/processes/free-port.mjs'

export interface DatabaseServer {
  readonly url: string
  /** Ends the process as a crash does, in the middle of whatever it was doing. */
  kill(): Promise<void>
  /** Starts it again on the same port and data; resolves when it serves. */
  start(): Promise<void>
  /** Holds it still: it neither answers nor closes a connection. */
  freeze(): void
  thaw(): void
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Whether it serves. */
  readonly serves: () => Promise<boolean>
}

/** Milliseconds. */
const patience = 30_000

/** Runs a program until it serves. Tries again where it ends at once, as one does that finds its predecessor's traces. */
export async function runServer(program: Program): Promise<ChildProcess> {
  const deadline = Date.now() + patience
  for (;;) {
    let printed = ''
    const child = spawn(program.command, program.args, { ...program.user, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += String(chunk)))
    const failed = once(child, 'error').then(([error]) => error as Error)
    const running = () => child.exitCode === null && child.signalCode === null
    while (running() && Date.now() < deadline) {
      if (await program.serves()) return child
      const cause = await Promise.race([failed, pause(50)])
      if (cause !== undefined) throw new Error(`${program.command} has to be installed for this`, { cause })
    }
    child.kill('SIGKILL')
    if (Date.now() >= deadline) throw new Error(`${program.command} did not start: ${printed}`)
    await pause(200)
  }
}

export async function endProcess(child: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
}

/** What a program prints; the empty text where it fails or is not there. */
export function outputOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 })
  } catch {
    return ''
  }
}
