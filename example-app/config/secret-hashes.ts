/** Secrets that another server kept: the modules that compare them, one for each way such a hash begins. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SecretHashes } from 'clientele'
import { ConfigError } from './config-error.ts'
import type { IssuerSettings, Settings } from './schema.ts'
import { changeInAll } from './tenants.ts'

type Modules = IssuerSettings['secret_hashes']

/**
 * The settings with absolute paths of modules, of tenants too. @throws {@link ConfigError} naming one that is no file.
 */
export function withSecretHashes(settings: Settings, folder: string): Settings {
  return changeInAll(settings, ({ secret_hashes }, prefix) => ({ secret_hashes: absolute(secret_hashes, prefix, folder) }))
}

function absolute(modules: Modules, prefix: string, folder: string): Modules {
  const paths = Object.entries(modules).map(([beginning, path]) => {
    const file = resolve(folder, path)
    if (!existsSync(file)) throw new ConfigError(`${prefix}secret_hashes.${beginning}`, `must be a file (${path} is not)`)
    return [beginning, file] as const
  })
  return Object.fromEntries(paths)
}

/** Runs a module, and gives what it exports. */
export type ImportModule = (file: string) => Promise<{ readonly default?: unknown }>

export const importModule: ImportModule = file => import(pathToFileURL(file).href) as ReturnType<ImportModule>

/** Stands in for modules that are not to be run: whoever looks at a configuration runs nothing that it names. */
export const importNothing: ImportModule = () => Promise.resolve({ default: () => false })

/** The functions. @throws {@link ConfigError} naming the module that cannot be run, or exports none. */
export async function secretHashesOf(
  { secret_hashes }: IssuerSettings,
  prefix: string,
  load: ImportModule
): Promise<SecretHashes> {
  const functions = Object.entries(secret_hashes).map(async ([beginning, file]) => {
    const verify = await exportOf(file, load)
    if (typeof verify === 'function') return [beginning, verify as SecretHashes[string]] as const
    const found = verify instanceof Error ? `: it cannot be run, ${verify.message}` : ''
    throw new ConfigError(
      `${prefix}secret_hashes.${beginning}`,
      `must be a module whose default export is a function of a secret and a hash${found}`
    )
  })
  return Object.fromEntries(await Promise.all(functions))
}

/** The default export, or what kept the module from running. */
async function exportOf(file: string, load: ImportModule): Promise<unknown> {
  try {
    return (await load(file)).default
  } catch (error) {
    return error instanceof Error ? error : new Error('it threw something that is no error')
  }
}
