/** Decisions of people on pages of this server's own: made once, however often the button is clicked. */
import type { Request } from 'express'
import { changeSession, sessionOf, type PersonDecision } from '../sessions/sessions.ts'

/** Finds what this session decided about `what` before, if that was its last decision. */
export function decidedBefore(req: Request, what: string): PersonDecision | undefined {
  const decided = sessionOf(req)?.decided
  return decided?.what === what ? decided : undefined
}

/**
 * Decides, and answers with the decision that holds: this one, or the session's earlier one about the same. Undefined
 * where `act` finds that there is nothing to decide.
 */
export async function decideOnce(
  req: Request,
  decision: PersonDecision,
  act: () => Promise<boolean>
): Promise<PersonDecision | undefined> {
  let before: PersonDecision | undefined
  // kept before it is done, so that whoever comes too late to do it finds it here
  await changeSession(req, session => {
    before = session.decided?.what === decision.what ? session.decided : undefined
    return { ...session, decided: before ?? decision }
  })
  let decided = false
  try {
    decided = await act()
  } finally {
    // what came to nothing was not decided
    if (!decided && before === undefined) await changeSession(req, session => ({ ...session, decided: undefined }))
  }
  return decided ? decision : before
}
