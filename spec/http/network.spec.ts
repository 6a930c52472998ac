import { describe, expect, it } from '@jest/globals'
import { networkOf } from '../../lib/http/network.ts'

const of = (remoteAddress: string | undefined, ip?: string) => networkOf({ socket: { remoteAddress }, ip } as never)

describe('networkOf', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['not:an:address', 'not:an:address'],
    [undefined, '']
  ])('takes %s for %s', (address, network) => {
    expect(of(address)).toBe(network)
  })

  it('believes what Express was told to', () => {
    expect(of('127.0.0.1', '192.0.2.9')).toBe('192.0.2.9')
  })
})
