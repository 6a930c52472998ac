/** Options that a module exports, or that a configuration file of the example app stands for. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandError } from './command.ts'

/** Whether a path is that of a module, by its name. */
export function isModule(path: string): boolean {
  return /\.(?:[cm]?js|m?ts)$/.test(path)
}

/**
 * What the module at `path` exports as `options`, or as default; where that is a function, what it returns.
 *
 * @throws {@link CommandError}
 */
export async function optionsOf(path: string): Promise<object> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new CommandError(`${path} cannot be loaded: ${error instanceof Error ? error.message : 'it failed'}`)
  }
  const given = module['options'] ?? module['default']
  const options: unknown = typeof given === 'function' ? await (given as () => unknown)() : given
  if (typeof options !== 'object' || options === null)
    throw new CommandError(`${path} must export the options of a server, as default or as "options"`)
  return options
}

/**
 * Reads a configuration file with a module of the example app, which is loaded for it.
 *
 * @throws {@link CommandError} where there is no example app, and for a wrong setting.
 */
export async function withExampleApp<Module, T>(
  load: () => Promise<Module>,
  read: (module: Module) => T | Promise<T>
): Promise<T> {
  const module = await load().catch(() => {
    throw new CommandError(
      'configuration files are those of the example app, which a checkout has: give a module that exports options'
    )
  })
  try {
    return await read(module)
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') throw new CommandError(error.message)
    throw error
  }
}
