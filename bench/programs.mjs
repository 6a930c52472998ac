/** Servers that are no Node: what builds them, and where they are then. Each is built once, by the versions its own files name, where its toolchain is. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(`programs/${path}`, import.meta.url))

const programs = {
  hydra: {
    tools: ['go', 'cc'],
    built: at('hydra/built/hydra'),
    // SQLite is C, and there only where it is asked for
    build: ['go', 'build', '-tags', 'sqlite,sqlite_omit_load_extension', '-o', 'built/hydra', 'github.com/ory/hydra/v2']
  },
  'spring-authorization-server': {
    tools: ['java', 'mvn'],
    built: at('spring-authorization-server/target/server.jar'),
    build: ['mvn', '--quiet', '--batch-mode', 'package']
  }
}

/** The path of a built program. */
export const programOf = name => programs[name].built

/**
 * Builds those of the targets that are programs; the first time takes minutes.
 *
 * @param {readonly string[]} names
 * @returns {{ name: string, missing: string }[]} those that are not to be had here, and why
 */
export function buildPrograms(names, say) {
  return names.flatMap(name => {
    const program = programs[name]
    if (program === undefined) return []
    const absent = program.tools.filter(tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
    if (absent.length > 0) return [{ name, missing: `${absent.join(' and ')} is not installed` }]
    if (existsSync(program.built)) return []
    say(`building ${name}\n`)
    const [command, ...rest] = program.build
    try {
      execFileSync(command, rest, { cwd: at(name), stdio: ['ignore', 'ignore', 'pipe'] })
      return []
    } catch (error) {
      return [
        {
          name,
          missing: `${command} could not build it: ${String(error.stderr ?? error.message)
            .trim()
            .split('\n')
            .at(-1)}`
        }
      ]
    }
  })
}
