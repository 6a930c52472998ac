/** Throws for a member that is wrong: its name, such as `redirect_uris[1]`, and what it must be. */
export type Fail = (member: string, mustBe: string) => never
