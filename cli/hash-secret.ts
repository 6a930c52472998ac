/** `hash-secret`: what may be kept of a secret, in a configuration file or a database. */
import { hashSecret } from 'clientele'
import { command, CommandError } from './command.ts'
import { readSecret } from './input.ts'

export const hashSecretCommand = command({
  arguments: [],
  options: {},
  description: `Reads one line from the standard input and prints its scrypt hash: an account's "password", or the "hash" of a
client's credential of the type "secret". Typed at a terminal it is not shown. It is no argument, because the list of
processes and the history of the shell keep those.`,
  async run({ terminal }) {
    const secret = await readSecret(terminal, 'Secret: ')
    if (secret === '') throw new CommandError('a secret must be given on the standard input')
    terminal.out(`${await hashSecret(secret)}\n`)
    return 0
  }
})
