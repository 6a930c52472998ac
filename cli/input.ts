/** What comes on the standard input, or out of a file: secrets, and lines. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable, type Readable } from 'node:stream'
import { CommandError, type Terminal } from './command.ts'

/** Longer ones are never equal to anything. */
const longest = 1024

/**
 * A secret: the first line, without its end; at a terminal it is asked for, and not shown. Further lines are refused: a
 * file was given that is something else. @throws {@link CommandError}
 */
export async function readSecret(terminal: Terminal, prompt: string): Promise<string> {
  if (terminal.stdin.isTTY === true) return ask(terminal, prompt)
  let text = ''
  for await (const chunk of terminal.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > 2 * longest) break
  }
  const line = text.replace(/\r?\n$/, '')
  if (/[\r\n]/.test(line)) throw new CommandError('the standard input must be one line')
  if (line.length > longest) throw new CommandError(`the standard input must be one line of at most ${longest} characters`)
  return line
}

async function ask(terminal: Terminal, prompt: string): Promise<string> {
  terminal.err(prompt)
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: terminal.stdin, output: unseen, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    terminal.err('\n')
  }
}

/**
 * Reads a file line by line, or the standard input where its name is `-`.
 *
 * @throws {@link CommandError} `refusal`, where the file cannot be read.
 */
export async function* linesOf(file: string, { stdin }: Terminal, refusal: string): AsyncGenerator<string, void, undefined> {
  const input: Readable = file === '-' ? stdin : createReadStream(file)
  try {
    yield* createInterface({ input, crlfDelay: Infinity })
  } catch {
    throw new CommandError(refusal)
  }
}
