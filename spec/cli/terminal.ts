/** The command in this process, on a terminal that only keeps what is written to it. */
import { Readable } from 'node:stream'
import { main } from '../../cli/main.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command with what it reads from the standard input and the environment. */
export async function clientele(given: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  let out = ''
  let err = ''
  const code = await main(given, {
    version: '0.0.0-spec',
    env,
    stdin: Readable.from([Buffer.from(input)], { objectMode: false }),
    out: text => (out += text),
    err: text => (err += text)
  })
  return { code, out, err }
}
