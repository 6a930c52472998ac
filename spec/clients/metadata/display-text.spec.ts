import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isDisplayText } from '../../../lib/clients/metadata/display-text.ts'

describe('text that people are shown', () => {
  it.each(['A', 'Billing 2.0', 'Größe & Söhne', '例え', 'हिन्दी', 'مثال', '🎉 Party', '❤️', 'a'.repeat(128), '🎉'.repeat(128)])(
    '%s is fine',
    text => {
      expect(isDisplayText(text, 128)).toBe(true)
    }
  )

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['blanks', '   '],
    ['a right-to-left override', 'evil\u202Etxt.exe'],
    ['an isolate', 'a\u2066b'],
    ['a zero-width space', 'Goo\u200Bgle'],
    ['a joiner', 'a\u200Db'],
    ['a byte order mark', '\uFEFFa'],
    ['a soft hyphen', 'a\u00ADb'],
    ['tag characters', 'a\u{E0041}\u{E0042}'],
    ['a variation selector', 'a\u{E0100}'],
    ['a Hangul filler', '\u3164'],
    ['an empty Braille pattern', '\u2800'],
    ['a combining mark alone', '\u0301'],
    ['a tab', 'a\tb'],
    ['a line break', 'a\nb'],
    ['a line separator', 'a\u2028b'],
    ['half a character', 'a\ud800'],
    ['a private-use character', '\ue000'],
    ['129 letters', 'a'.repeat(129)],
    ['a megabyte', 'a'.repeat(1_000_000)],
    ['no string', ['A']]
  ])('%s is not', (_, text) => {
    expect(isDisplayText(text, 128)).toBe(false)
  })

  it('is never what cannot be seen, whatever stands beside it', () => {
    const hidden = fc.constantFrom('\u202e', '\u200b', '\u{e0020}', '\u0000', '\u3164', '\u2069')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), hidden, fc.string({ maxLength: 40 }), (before, one, after) => {
        expect(isDisplayText(`${before}${one}${after}`, 128)).toBe(false)
      })
    )
  })
})
