/** A secret that a person made up is hashed anew, with the parameters of today, when it is used. */
import type { CredentialRecords } from '../records.ts'
import { hashSecret } from './human-secret.ts'
import { notRecorded } from '../last-use.ts'

const underWay = new Set<string>()

/**
 * Replaces the hash of a stored secret that was just found right. Nothing waits for it; where it fails, the old hash
 * stays good.
 */
export function upgradeHash(records: CredentialRecords, client_id: string, id: string, secret: string): void {
  const name = `${client_id}\0${id}`
  if (underWay.has(name)) return
  underWay.add(name)
  const upgrade = async (): Promise<void> => {
    const hash = await hashSecret(secret)
    await records.change(client_id, record => {
      const isIt = (stored: { readonly id: string; readonly type: string; readonly revoked_at?: number | undefined }): boolean =>
        stored.id === id && stored.type === 'secret' && stored.revoked_at === undefined
      if (record?.credentials.some(isIt) !== true) return undefined
      return { ...record, credentials: record.credentials.map(stored => (isIt(stored) ? { ...stored, hash } : stored)) }
    })
  }
  setImmediate(() => {
    void upgrade()
      .catch(notRecorded)
      .finally(() => underWay.delete(name))
  })
}
