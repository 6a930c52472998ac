/** Makes keys and exports them, more often than the collector runs. */
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'

for (let made = 0; made < Number(process.argv[2]); made++) newKeyPair('P-256').privateKey.export({ format: 'jwk' })
process.stdout.write('made')
