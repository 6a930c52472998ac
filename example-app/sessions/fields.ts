/** The fields of the forms people send. */
import type { Request } from 'express'

/** A form field sent exactly once, as text. */
export function fieldOf(req: Request, name: string): string | undefined {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}
