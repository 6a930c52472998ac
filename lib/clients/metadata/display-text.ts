/** Text of a client's that people are shown: what it says must be what they see. */

/** Letters, digits, punctuation, symbols and spaces: nothing that turns text around or breaks the line. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u
/**
 * Of those, what leaves no mark: fillers and joiners, but for the two that choose between a sign's text and its
 * picture.
 */
const unseen = /(?![\uFE0E\uFE0F])\p{Default_Ignorable_Code_Point}|\u2800/u
const seen = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Whether people can be shown this: 1 to `longest` characters, each of which can be seen, and not blanks alone. */
export function isDisplayText(value: unknown, longest: number): value is string {
  // bounded before it is looked at; a character may be two code units
  if (typeof value !== 'string' || value.length > 2 * longest || Array.from(value).length > longest) return false
  return printable.test(value) && !unseen.test(value) && seen.test(value)
}
