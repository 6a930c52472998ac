/** A wrong setting. The message is the one line an operator reads: the setting's path and what it must be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(path: string, mustBe: string) {
    // names come from the file and must not be able to break the line
    super(`${path} ${mustBe}`.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '))
  }
}
