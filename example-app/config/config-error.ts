/** Wrong settings, and what an operator is told of them. */
import type { ConfigurationError } from 'clientele'

/** A wrong setting. The message is the one line an operator reads: the setting's path and what it must be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly path: string
  readonly mustBe: string
  constructor(path: string, mustBe: string) {
    // names come from the file and must not be able to break the line
    super(`${path} ${mustBe}`.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '))
    this.path = path
    this.mustBe = mustBe
  }
}

/** What the library says an option must be, without its name: settings have other names. */
export function mustBeOf({ key, message }: ConfigurationError): string {
  return message.slice(key.length).trim()
}

/** Describes a failed start to an operator: one line for a wrong setting; the stack for a fault of ours. */
export function lineOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : 'the server failed'
}
