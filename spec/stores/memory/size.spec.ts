import { describe, expect, it } from '@jest/globals'
import { shareOf } from '../../../lib/stores/memory/size.ts'

describe('what records may take where nobody says', () => {
  const MiB = 2 ** 20

  it.each([
    ['a machine without containers', 16_384, 0, 4_096],
    ['a platform that cannot tell', 16_384, undefined, 4_096],
    ['a container', 16_384, 512, 128],
    ['a container with more than there is', 16_384, 65_536, 4_096],
    ['a container without a bound, as Linux says it', 16_384, 2 ** 44, 4_096]
  ])('is a quarter of the memory of %s', (_, machine, constrained, share) => {
    expect(shareOf(machine * MiB, constrained === undefined ? undefined : constrained * MiB)).toBe(share * MiB)
  })

  it('is a whole number of bytes', () => expect(shareOf(1_023, 0)).toBe(255))
})
