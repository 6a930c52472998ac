/** `replay`: authentications that were kept, judged again by a configuration that is to come. */
import { existsSync } from 'node:fs'
import {
  ConfigurationError,
  credentialSets,
  storedClients,
  type AuthorizationServerOptions,
  type ClientSource,
  type Store
} from 'clientele'
import {
  formatReplay,
  keptAuthentications,
  replayAuthentications,
  replayFormats,
  type ReplayedOptions,
  type ReplayReport
} from 'clientele/replay'
import { command, CommandError, type Terminal } from './command.ts'
import { linesOf } from './input.ts'
import { isModule, optionsOf, withExampleApp } from './modules.ts'
import { keysOf, untouched, withSharedStore } from './store.ts'

export const replayCommand = command({
  arguments: ['[FILE]'],
  options: {
    config: {
      type: 'string',
      placeholder: 'CANDIDATE',
      help: 'the configuration to judge by: a file of the example app, or a module'
    },
    tenant: { type: 'string', placeholder: 'PATH', help: 'a tenant of the configuration file, such as /acme/banking' },
    store: { type: 'string', placeholder: 'URL', help: 'the store of the servers, where FILE is left out; left out: STORE_URL' },
    format: { type: 'string', values: replayFormats, default: 'text', help: 'how the report is written' }
  },
  description: `Judges authentications that were kept by another configuration, as of their own time, and names the clients that would break,
before that is deployed. FILE has one authentication a line, as onJudged was told it, in JSON; - is the standard input; left out:
what the example app keeps in its store. CANDIDATE is a configuration file of the example app, or a module (.js, .mjs, .ts) that
exports the options of authorizationServer() or tokenRouter() as default or as "options".
Ends with 0 where no client would break, with 1 where one would, and with 2 where it could not judge.`,
  async run({ arguments: [file], options: { config, tenant, store, format }, terminal }) {
    if (config === undefined) throw new CommandError('--config must say what to judge by')
    if (file !== undefined && store !== undefined) throw new CommandError('--store must be left out where there is a FILE')
    const candidate = await candidateOf(config, tenant)
    const report = await judged(config, () =>
      file === undefined
        ? replayStore(candidate, { url: store, isFile: !isModule(config), terminal })
        : replayAuthentications(recordsIn(file, terminal), candidate)
    )
    terminal.out(formatReplay(report, format))
    return report.clients.some(({ effect }) => effect === 'would_break') ? 1 : 0
  }
})

async function candidateOf(path: string, tenant: string | undefined): Promise<ReplayedOptions> {
  if (!existsSync(path)) throw new CommandError(`--config must be the path of a file (${path} is none)`)
  if (isModule(path)) {
    if (tenant !== undefined) throw new CommandError('--tenant must be left out where --config is a module')
    return ofModule((await optionsOf(path)) as AuthorizationServerOptions)
  }
  return withExampleApp(
    () => import('../example-app/config/replay.ts'),
    ({ replayedConfiguration }) => replayedConfiguration(path, tenant)
  )
}

/** What a whole server makes of its listeners: without one that asks for certificates there are no methods for them. */
function ofModule(options: AuthorizationServerOptions): ReplayedOptions {
  const { certificateMethods, mtlsOrigin, certificateSource } = options
  if (!('interaction' in options) || certificateMethods !== undefined) return options
  return { ...options, certificateMethods: mtlsOrigin !== undefined || certificateSource !== undefined }
}

async function judged<T>(config: string, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge()
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CommandError(`${config}: ${error.message}`)
    throw error
  }
}

interface Replayed {
  readonly url: string | undefined
  /** Whether the candidate is a configuration file. */
  readonly isFile: boolean
  readonly terminal: Terminal
}

function replayStore(candidate: ReplayedOptions, { url, isFile, terminal }: Replayed): Promise<ReplayReport> {
  return withSharedStore(url, terminal, async store => {
    const kept = (await keptAuthentications({ store, issuer: candidate.issuer }).recent()).toReversed()
    if (!isFile) return replayAuthentications(kept, candidate)
    return replayWithStored(candidate, kept, untouched(store), terminal)
  })
}

/** Beside the clients of the file there are those of the store, and what came to their credentials and went. */
async function replayWithStored(
  candidate: ReplayedOptions,
  kept: readonly unknown[],
  store: Store,
  terminal: Terminal
): Promise<ReplayReport> {
  // a file has a list of them
  const { issuer, clients: ofFile } = candidate as ReplayedOptions & { readonly clients: ClientSource }
  const keys = await keysOf(store, issuer, terminal)
  try {
    const stored = storedClients({ issuer, store, keys, clients: ofFile })
    const { clients } = credentialSets({ issuer, store, keys, clients: stored.clients })
    return await replayAuthentications(kept, { ...candidate, clients })
  } finally {
    keys.close()
  }
}

/** What is no JSON is no record, and counted as such. */
async function* recordsIn(file: string, terminal: Terminal): AsyncGenerator<unknown, void, undefined> {
  for await (const line of linesOf(file, terminal, 'FILE must be the path of a readable file, or -'))
    if (line.trim() !== '') yield parsed(line)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
