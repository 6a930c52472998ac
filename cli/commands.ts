/** Every command there is. What one needs is loaded when it is called. */
import type { Command } from './command.ts'

export interface ListedCommand {
  /** Its effect, in one line. */
  readonly summary: string
  load(): Promise<Command>
}

/** By name, in the order of the help. */
export const commands: Readonly<Record<string, ListedCommand>> = {
  attack: {
    summary: 'send a server requests that it must refuse, and tell which it does not',
    load: async () => (await import('./attack.ts')).attackCommand
  },
  'clients list': {
    summary: 'list the clients of the configuration file and of the store',
    load: async () => (await import('./clients/list.ts')).listClients
  },
  'clients show': {
    summary: 'show one client, and what it proves itself with',
    load: async () => (await import('./clients/show.ts')).showClient
  },
  'clients add': {
    summary: 'add a client to the store',
    load: async () => (await import('./clients/add.ts')).addClient
  },
  'clients rotate-secret': {
    summary: 'give a client one more secret',
    load: async () => (await import('./clients/rotate-secret.ts')).rotateSecret
  },
  'clients disable': {
    summary: 'have a client refused, with every token it holds',
    load: async () => (await import('./clients/disable.ts')).disableClient
  },
  'clients enable': {
    summary: 'let a client that was disabled be found again',
    load: async () => (await import('./clients/disable.ts')).enableClient
  },
  'keys rotate': {
    summary: 'make new signing keys',
    load: async () => (await import('./rotate-keys.ts')).rotateKeys
  },
  'grants list': {
    summary: 'list what clients hold of a person',
    load: async () => (await import('./grants.ts')).listGrants
  },
  'grants revoke': {
    summary: 'end what a client holds of a person',
    load: async () => (await import('./grants.ts')).revokeGrants
  },
  why: {
    summary: 'say why a client was refused, by the trace id of its request',
    load: async () => (await import('./why.ts')).why
  },
  changes: {
    summary: 'list what was changed by this command, and by whom',
    load: async () => (await import('./list-changes.ts')).listChanges
  },
  lint: {
    summary: 'find what a configuration or a running server should not allow',
    load: async () => (await import('./lint.ts')).lintCommand
  },
  replay: {
    summary: 'name the clients that another configuration would break, by what was kept',
    load: async () => (await import('./replay.ts')).replayCommand
  },
  'hash-secret': {
    summary: 'make of a password or a secret what may be kept of it',
    load: async () => (await import('./hash-secret.ts')).hashSecretCommand
  }
}
