/** SPIFFE's library in Go, asked from here: compiled once, a process for every question. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { JWK } from 'jose'

const run = promisify(execFile)
const source = fileURLToPath(new URL('.', import.meta.url))
const timeout = 240_000

/** See `Question` of main.go. */
interface Question {
  readonly ids?: readonly string[]
  readonly trust_domain?: string
  readonly bundles?: readonly unknown[]
  /** DER, each in base64. */
  readonly x509?: readonly (readonly string[])[]
  readonly jwt?: readonly string[]
  readonly audience?: string
  readonly make?: string
}

interface BundleFacts {
  readonly refused?: string
  readonly jwt: number
  readonly x509: number
  readonly sequence?: number
  readonly hint: number
}

/** See `Answer` of main.go. A list nothing was asked for is null there. */
export interface Answer {
  readonly ids: readonly string[]
  readonly bundles: readonly BundleFacts[]
  readonly x509: readonly string[]
  readonly jwt: readonly string[]
  readonly made: {
    readonly bundle: { readonly keys: readonly JWK[] }
    readonly x509: Readonly<Record<string, { readonly pem: string; readonly keyPem: string }>>
    readonly jwt: Readonly<Record<string, string>>
  }
}

export interface GoSpiffe {
  ask(question: Question): Promise<Answer>
  close(): void
}

export async function buildGoSpiffe(): Promise<GoSpiffe> {
  const folder = mkdtempSync(join(tmpdir(), 'go-spiffe-'))
  const program = join(folder, 'go-spiffe')
  const env = { ...process.env, GOFLAGS: '-buildvcs=false' }
  await run('go', ['build', '-o', program, '.'], { cwd: source, env, timeout })
  return {
    async ask(question) {
      const asked = run(program, [], { timeout, maxBuffer: 16_777_216 })
      asked.child.stdin?.end(JSON.stringify(question))
      return JSON.parse((await asked).stdout) as Answer
    },
    close: () => rmSync(folder, { recursive: true })
  }
}
