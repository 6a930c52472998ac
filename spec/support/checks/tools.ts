/** What specs run with commands that are not everywhere. */
import { spawnSync } from 'node:child_process'
import { describe } from '@jest/globals'

/** Whether the commands are here; in CI they have to be, and what needs them fails where they are not. */
export function areHere(...commands: readonly string[]): boolean {
  const missing = commands.filter(command => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
  if (missing.length > 0 && process.env['CI'] === undefined) process.stderr.write(`skipped: no ${missing.join(', ')} here\n`)
  return missing.length === 0 || process.env['CI'] !== undefined
}

/** `describe`, where the commands are. */
export const whereThereIs = (...commands: string[]) => (areHere(...commands) ? describe : describe.skip)
