/** `keys rotate`: new signing keys, which the running servers follow by themselves. */
import { answer } from './answer.ts'
import { command } from './command.ts'
import { changeOptions, withOperator } from './operator.ts'

export const rotateKeys = command({
  arguments: [],
  options: { immediately: { type: 'boolean', help: 'the new keys sign at once: for a key that was stolen' }, ...changeOptions },
  description: `Makes new signing keys, beside the running servers, which follow within half a minute. They are published first and sign after
an hour, so that everybody who keeps a copy of the keys has them by then.`,
  run: ({ options, terminal }) =>
    withOperator({ options, terminal }, async ({ issuer, keys, emit }) => {
      const { immediately } = options
      const kids = () => keys.current().keys.flatMap(({ kid, kty }) => (kid === undefined || kty === 'oct' ? [] : [kid]))
      const before = kids()
      await keys.rotate({ immediately })
      const after = kids()
      const added = after.filter(kid => !before.includes(kid))
      emit({ type: 'keys.changed', at: Date.now(), issuer, added, removed: before.filter(kid => !after.includes(kid)) })
      const signs = immediately ? 'within 30 seconds' : 'after an hour'
      answer(terminal, options.format, { issuer, added, signs }, [{ issuer, signs }], '')
      return 0
    })
})
