/** `clients rotate-secret`: one more secret, beside those that go on. */
import { answer, moment } from '../answer.ts'
import { command, CommandError } from '../command.ts'
import { changeOptions, withOperator } from '../operator.ts'

export const rotateSecret = command({
  arguments: ['CLIENT_ID'],
  options: {
    label: { type: 'string', placeholder: 'TEXT', help: 'what people call the new secret' },
    'previous-expires-in': { type: 'string', placeholder: 'SECONDS', help: 'when the others end; left out: they go on' },
    ...changeOptions
  },
  description: `Gives a client one more secret and prints it: this once, and never again. The others go on, so that the client can be
changed over in its own time; --previous-expires-in has them end.`,
  run: ({ arguments: [client_id = ''], options, terminal }) =>
    withOperator({ options, terminal }, async ({ credentials }) => {
      const seconds = options['previous-expires-in']
      if (seconds !== undefined && !/^[1-9]\d{0,8}$/.test(seconds))
        throw new CommandError('--previous-expires-in must be a whole number of seconds')
      const ends = seconds === undefined ? {} : { previousExpiresAt: Math.floor(Date.now() / 1000) + Number(seconds) }
      const label = options.label === undefined ? {} : { label: options.label }
      const { client_secret, id, credential, expires_at } = await credentials.rotateSecret(client_id, { ...label, ...ends })
      const rows = [{ client_id, client_secret, credential, expires: moment(expires_at, 'never') }]
      answer(terminal, options.format, { client_id, client_secret, id, credential, expires_at }, rows, '')
      return 0
    })
})
