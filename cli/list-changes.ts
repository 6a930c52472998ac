/** `changes`: what operators did, and who. */
import { answer } from './answer.ts'
import { changesOf } from './changes.ts'
import { command } from './command.ts'
import { storeOptions, withOperator } from './operator.ts'

export const listChanges = command({
  arguments: [],
  options: storeOptions,
  description: 'Lists the last thousand changes that were made by this command, the newest first, each with its actor.',
  run: ({ options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const changes = await changesOf(operator)
      const rows = changes.map(event => ({
        at: new Date(event.at).toISOString(),
        actor: event.actor,
        change: event.type,
        about: aboutOf(event)
      }))
      answer(terminal, options.format, { changes }, rows, 'Nothing was changed.')
      return 0
    })
})

/** Names what an event happened to: its client, credential and grant, where it has them. */
function aboutOf(event: object): string {
  const members = event as Readonly<Record<string, unknown>>
  return ['client_id', 'credential', 'grant']
    .flatMap(name => (typeof members[name] === 'string' ? [members[name]] : []))
    .join(' ')
}
