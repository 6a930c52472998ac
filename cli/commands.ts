/** Every command there is. What one needs is loaded when it is called. */
import type { Command } from './command.ts'

export interface ListedCommand {
  /** What it does, in one line. */
  readonly summary: string
  load(): Promise<Command>
}

/** By name, in the order of the help. */
export const commands: Readonly<Record<string, ListedCommand>> = {
  attack: {
    summary: 'send a server requests that it must refuse, and tell which it does not',
    load: async () => (await import('./attack.ts')).attackCommand
  },
  lint: {
    summary: 'find what a configuration or a running server should not allow',
    load: async () => (await import('./lint.ts')).lintCommand
  },
  'hash-secret': {
    summary: 'make of a password or a secret what may be kept of it',
    load: async () => (await import('./hash-secret.ts')).hashSecretCommand
  }
}
