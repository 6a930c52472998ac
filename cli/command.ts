/** The frame every command stands in: its arguments and options, its help, its exit code. */
import type { Readable } from 'node:stream'
import { parseArgs } from 'node:util'

/**
 * 0: done. 1: the answer is no (there is no such client, errors were found). 2: it could not be tried (wrong arguments,
 * a store that is down).
 */
export type ExitCode = 0 | 1 | 2

/** Surroundings of a command: version, environment, input and outputs. */
export interface Terminal {
  readonly version: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** Writes to the standard output: what was asked for, and nothing else. */
  out(text: string): void
  /** Writes to the standard error. */
  err(text: string): void
}

/** Ends a command with one line on the standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: Exclude<ExitCode, 0>
  constructor(message: string, exitCode: Exclude<ExitCode, 0> = 2) {
    // what was given may be repeated in it and must not be able to break the line
    super(message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '))
    this.exitCode = exitCode
  }
}

/** One option. */
interface Option {
  readonly type: 'string' | 'boolean'
  /** Whether it may be given more than once. */
  readonly multiple?: boolean
  /** Name for its value in the help, such as `FILE`. */
  readonly placeholder?: string
  /** All it may be. */
  readonly values?: readonly string[]
  readonly default?: string
  /** Its effect, in a few words. */
  readonly help: string
}

type ValueOf<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : (O extends { values: readonly (infer Value)[] } ? Value : string) | (O extends { default: string } ? never : undefined)

/** Arguments and options a command was called with, and its terminal. */
export interface Call<Options extends Readonly<Record<string, Option>>> {
  readonly arguments: readonly string[]
  readonly options: { readonly [Name in keyof Options]: ValueOf<Options[Name]> }
  readonly terminal: Terminal
}

/** Definition that `command()` makes a command of. */
interface CommandDefinition<Options extends Readonly<Record<string, Option>>> {
  /**
   * Its arguments, by the names they have in the help, in their order: `['FILE|URL']`. Each must be given, unless its
   * name is in brackets.
   */
  readonly arguments: readonly string[]
  readonly options: Options
  /** A paragraph below the usage. */
  readonly description: string
  /** @throws {@link CommandError} */
  run(call: Call<Options>): Promise<ExitCode>
}

/** A command, ready to be called with what stands behind its name. */
export interface Command {
  /** The help, for the name it is called by. */
  readonly help: (name: string) => string
  /** @throws {@link CommandError} */
  readonly run: (given: readonly string[], terminal: Terminal) => Promise<ExitCode>
}

/** Makes a command of its definition: reads its arguments strictly, and writes its help. */
export function command<const Options extends Readonly<Record<string, Option>>>(definition: CommandDefinition<Options>): Command {
  return {
    help: name => helpOf(name, definition),
    run: async (given, terminal) => {
      const { values, positionals } = parse(definition, given)
      const options = Object.fromEntries(
        Object.entries(definition.options).map(([name, option]) => [name, valueOf(name, option, values[name])])
      ) as Call<Options>['options']
      return definition.run({ arguments: positionals, options, terminal })
    }
  }
}

function parse({ arguments: names, options }: CommandDefinition<Readonly<Record<string, Option>>>, given: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...withIds(given, options)],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple = false }]) => [name, { type, multiple }] as const)
      )
    })
    const missing = names[parsed.positionals.length]
    if (missing !== undefined && !missing.startsWith('[')) throw new CommandError(`${missing} must be given`)
    const surplus = parsed.positionals[names.length]
    if (surplus !== undefined) throw new CommandError(`takes no argument "${surplus}"`)
    return parsed
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    if (typeof code !== 'string' || !code.startsWith('ERR_PARSE_ARGS_')) throw error
    throw new CommandError(message.split('. ')[0] ?? '')
  }
}

/** An id as it is made here, which begins with a dash or two. No option has capital letters or figures. */
const dashedId = /^-(?=.*[A-Z0-9])[\w-]{15,}$/

/**
 * Has such ids taken for what they are: the value of the option before them, or else an argument, which stands behind
 * `--`.
 */
function withIds(given: readonly string[], options: Readonly<Record<string, Option>>): readonly string[] {
  const [words, ids, end]: [string[], string[], number] = [[], [], given.includes('--') ? given.indexOf('--') : given.length]
  for (const word of given.slice(0, end)) {
    const before = words.at(-1)
    if (!dashedId.test(word)) words.push(word)
    else if (before?.startsWith('--') === true && options[before.slice(2)]?.type === 'string')
      words[words.length - 1] = `${before}=${word}`
    else ids.push(word)
  }
  return ids.length === 0 ? [...words, ...given.slice(end)] : [...words, '--', ...ids, ...given.slice(end + 1)]
}

function valueOf(name: string, option: Option, given: string | boolean | (string | boolean)[] | undefined): unknown {
  if (option.type === 'boolean') return given === true
  if (option.multiple === true) return given ?? []
  const value = given ?? option.default
  if (value !== undefined && option.values !== undefined && !option.values.includes(String(value)))
    throw new CommandError(`--${name} must be ${option.values.join(' or ')}`)
  return value
}

function helpOf(name: string, definition: CommandDefinition<Readonly<Record<string, Option>>>): string {
  const options = Object.entries(definition.options)
  const usage = ['clientele', name, ...definition.arguments, ...(options.length > 0 ? ['[options]'] : [])].join(' ')
  return `Usage: ${usage}\n\n${wrapped(definition.description)}\n${options.length > 0 ? `\n${columns(options.map(optionHelp))}` : ''}`
}

/** Lines of at most a hundred characters, as far as words allow. */
function wrapped(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/(.{1,100})(?: |$)/g, '$1\n')
    .trimEnd()
}

function optionHelp([name, option]: readonly [string, Option]): readonly [string, string] {
  const value = option.type === 'boolean' ? '' : ` ${option.placeholder ?? option.values?.join('|') ?? 'VALUE'}`
  const more = [
    ...(option.multiple === true ? ['may be repeated'] : []),
    ...(option.default === undefined ? [] : [`default: ${option.default}`])
  ]
  return [`--${name}${value}`, more.length === 0 ? option.help : `${option.help} (${more.join(', ')})`]
}

/** Names and what they mean, one a line. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}\n`).join('')
}
