import { describe, expect, it } from '@jest/globals'
import { lazyMembers } from '../lib/lazily.ts'

const made: string[] = []
const withMembers = lazyMembers<{ readonly name: string }, { readonly greeting: object; readonly greet: () => string }>({
  greeting: ({ name }) => {
    made.push(`greeting of ${name}`)
    return { name }
  },
  greet:
    ({ name }) =>
    () =>
      `hello ${name}`
})

describe('lazyMembers()', () => {
  it('makes each member of each object when it is first asked for, and keeps it', () => {
    made.length = 0
    const [ann, bob] = [withMembers(() => 'ann', { name: 'ann' }), withMembers({}, { name: 'bob' })]
    expect(made).toEqual([])
    expect(ann.greeting).toBe(ann.greeting)
    expect(bob.greeting).toEqual({ name: 'bob' })
    expect(made).toEqual(['greeting of ann', 'greeting of bob'])
    expect(ann()).toBe('ann')
  })

  it('makes members that are called apart, listed and copied like any others', () => {
    const ann = withMembers({ age: 7 }, { name: 'ann' })
    const { greet } = ann
    expect(greet()).toBe('hello ann')
    expect(Object.keys(ann)).toEqual(['age', 'greeting', 'greet'])
    expect({ ...ann }).toEqual({ age: 7, greeting: { name: 'ann' }, greet })
    expect((Object.create(ann) as typeof ann).greet).toBe(greet)
  })

  it('lets others be put in their place, at that object alone', () => {
    const [ann, bob] = [withMembers({}, { name: 'ann' }), withMembers({}, { name: 'bob' })]
    Object.assign(ann, { greet: () => 'good day' })
    expect(ann.greet()).toBe('good day')
    expect(bob.greet()).toBe('hello bob')
    expect(Object.keys(ann)).toEqual(['greeting', 'greet'])
  })
})
