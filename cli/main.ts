/** `clientele`: finds the command that is meant, and turns whatever happens into an exit code. */
import { columns, CommandError, type ExitCode, type Terminal } from './command.ts'
import { commands, type ListedCommand } from './commands.ts'

/** Runs the command that these arguments name. Never rejects. */
export async function main(given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first = ''] = given
  if (first === '--version') {
    terminal.out(`${terminal.version}\n`)
    return 0
  }
  if (['--help', '-h', 'help'].includes(first)) return help(given.slice(1), terminal)
  const found = find(given)
  if (found === undefined) return unknown(given, terminal)
  const { name, listed, rest } = found
  if (rest.includes('--help') || rest.includes('-h')) return help([name], terminal)
  try {
    return await (await listed.load()).run(rest, terminal)
  } catch (error) {
    if (!(error instanceof CommandError)) {
      terminal.err(`clientele ${name}: ${error instanceof Error ? (error.stack ?? error.message) : 'it failed'}\n`)
      return 2
    }
    terminal.err(`clientele ${name}: ${error.message}\n`)
    return error.exitCode
  }
}

interface Found {
  readonly name: string
  readonly listed: ListedCommand
  /** The arguments behind the name. */
  readonly rest: readonly string[]
}

/** Names have one word or two. */
function find(given: readonly string[]): Found | undefined {
  for (const words of [2, 1]) {
    const name = given.slice(0, words).join(' ')
    const listed = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (listed !== undefined) return { name, listed, rest: given.slice(words) }
  }
  return undefined
}

async function help(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (words.length === 0) {
    terminal.out(overview(Object.entries(commands)))
    return 0
  }
  const found = find(words.join(' ').split(' '))
  if (found === undefined) return unknown(words, terminal)
  terminal.out((await found.listed.load()).help(found.name))
  return 0
}

/** Of a name that several commands begin with, those are listed. */
function unknown([first = '']: readonly string[], terminal: Terminal): ExitCode {
  const meant = Object.entries(commands).filter(([name]) => name.startsWith(`${first} `))
  if (first !== '' && meant.length === 0) terminal.err(`clientele: there is no such command\n\n`)
  terminal.err(overview(meant.length > 0 ? meant : Object.entries(commands)))
  return 2
}

function overview(listed: readonly (readonly [string, ListedCommand])[]): string {
  const rows = listed.map(([name, { summary }]) => [name, summary] as const)
  return `Usage: clientele COMMAND [options]\n\n${columns(rows)}\nclientele COMMAND --help says what a command takes.\n`
}
