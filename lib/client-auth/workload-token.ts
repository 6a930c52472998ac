/** The token that the platform gave a workload, as it is now. */
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { ConfigurationError, fn, text, type Checks, type Read } from '../options.ts'
import { ClientAuthenticationError } from './client-authentication.ts'

/** The source of a workload's token. Exactly one of `file` and `get`. */
export interface WorkloadTokenSource {
  /**
   * The path of a file that the platform keeps up to date. It is read for every request, however it is replaced:
   * written over, renamed, or a link that is moved.
   */
  readonly file?: string | undefined
  /** Gets a token, for every request, whose audience is `issuer`. @example issuer => core.getIDToken(issuer) */
  readonly get?: ((issuer: string) => string | Promise<string>) | undefined
}

export const workloadTokenChecks = {
  file: text(),
  get: fn<NonNullable<WorkloadTokenSource['get']>>()
} satisfies Checks<WorkloadTokenSource>

/** Whether this could be a JWT: three parts of base64url. */
export function isJwt(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value)
}

/** For how long a file may be empty while it is being written over, as attempts and milliseconds between them. */
const attempts = 5
const pause = 20

/** The source as a function. @throws ConfigurationError where neither or both are given. */
export function workloadToken({ file, get }: Read<typeof workloadTokenChecks>): (issuer: string) => Promise<string> {
  if (get !== undefined && file === undefined) return issuer => obtain(get, issuer)
  if (file !== undefined && get === undefined) return () => readToken(file)
  throw new ConfigurationError('file', 'or get must be given, and not both')
}

async function obtain(get: NonNullable<WorkloadTokenSource['get']>, issuer: string): Promise<string> {
  const token: unknown = await get(issuer)
  if (isJwt(token)) return token
  throw new ClientAuthenticationError('get did not return a JWT')
}

async function readToken(file: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const token = await readFile(file, 'utf8').then(
      text => text.trim(),
      (cause: unknown) => {
        throw new ClientAuthenticationError(`the token in ${file} cannot be read`, { cause })
      }
    )
    if (isJwt(token)) return token
    // not every writer renames: a file that is being written over is empty for a moment
    if (attempt === attempts) throw new ClientAuthenticationError(`there is no JWT in ${file}`)
    await setTimeout(pause)
  }
}
