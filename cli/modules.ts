/** Options that a module exports. */
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
