/** Values no parameter may have, and a store that shows whether they changed anything. */
import { memoryStore, type Store } from '../../../lib/index.ts'
import type { Form } from '../servers/authorization-server.ts'

/** A store that counts what changes it. */
export function countingStore(clock: () => number) {
  const behind = memoryStore({ clock })
  const counted = { changes: 0 }
  const changing = ['set', 'add', 'take', 'swap', 'delete', 'deleteGrant']
  const store = new Proxy(behind, {
    get(target, name: keyof Store) {
      const operation = (Reflect.get(target, name) as (...given: unknown[]) => unknown).bind(target)
      return (...given: unknown[]) => {
        if (changing.includes(name)) counted.changes++
        return operation(...given)
      }
    }
  })
  return { store, counted }
}

/** A form as it is sent. */
export const encode = (form: Form) => new URLSearchParams(form).toString()

/** The form with one parameter replaced by something written by hand. */
export const replaced = (form: Form, name: string, by: string) =>
  [encode(Object.fromEntries(Object.entries(form).filter(([other]) => other !== name))), by].join('&')

/** A parameter sent more than once, which `resource` alone may be. */
const repetitions = (name: string, value: string): [string, string][] => [
  ['twice, alike', `${name}=${encodeURIComponent(value)}&${name}=${encodeURIComponent(value)}`],
  ['twice, first empty', `${name}=&${name}=${encodeURIComponent(value)}`],
  ['twice, escaped once', `${name}=${encodeURIComponent(value)}&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=x`]
]

/** What can be wrong with the value of a parameter, whatever it means: each is `invalid_request`. */
export const badValues = (name: string, value: string): [string, string][] => [
  ...(name === 'resource' ? [] : repetitions(name, value)),
  ['a null', `${name}=${encodeURIComponent(value)}%00`],
  ['a line break', `${name}=${encodeURIComponent(value)}%0d%0a`],
  ['a delete character', `${name}=%7f`],
  ['half an escape', `${name}=${encodeURIComponent(value)}%`],
  ['an escape that is none', `${name}=%zz`],
  ['invalid UTF-8', `${name}=%ff%fe`],
  ['UTF-8 longer than it has to be', `${name}=%c0%af`],
  ['half a character', `${name}=%ed%a0%80`]
]

/** What JSON can say where a string is meant, or a list of strings. */
const wrongTypesInList: [string, unknown][] = [
  ['a list of numbers', [1]],
  ['a list in a list', [['x']]],
  ['an object', { x: 'y' }],
  ['a number', 1],
  ['true', true],
  ['null', null],
  ['a control character', 'x\u0000'],
  ['half a character', '\ud800']
]

/** The same for a parameter that is no list. */
export const wrongTypes = (name: string): [string, unknown][] =>
  name === 'resource' ? wrongTypesInList : [['a list', ['x']], ['an empty list', []], ...wrongTypesInList]
