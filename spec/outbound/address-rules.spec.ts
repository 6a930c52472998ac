import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isAllowedAddress } from '../../lib/outbound/address-rules.ts'

const closed = { allowLoopback: false, allowPrivate: () => false }
const open = { allowLoopback: true, allowPrivate: () => true }
const host = 'keys.example'

describe('isAllowedAddress', () => {
  it.each([
    '93.184.215.14',
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '2a00:1450:4001:80b::200e'
  ])('allows %s', address => {
    expect(isAllowedAddress(address, host, closed)).toBe(true)
  })

  it.each([
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.0.1',
    'fc00::1',
    'fd12:3456::1'
  ])('allows the private %s only where the rules do', address => {
    expect(isAllowedAddress(address, host, closed)).toBe(false)
    expect(isAllowedAddress(address, host, open)).toBe(true)
    expect(isAllowedAddress(address, host, { ...open, allowPrivate: name => name !== host })).toBe(false)
  })

  it.each(['127.0.0.1', '127.255.255.254', '::1'])(
    'allows %s only for the loopback hosts, and only where the rules do',
    address => {
      for (const name of ['localhost', '127.0.0.1', '[::1]']) {
        expect(isAllowedAddress(address, name, open)).toBe(true)
        expect(isAllowedAddress(address, name, closed)).toBe(false)
      }
      expect(isAllowedAddress(address, host, open)).toBe(false)
      expect(isAllowedAddress(address, 'localhost.evil.example', open)).toBe(false)
    }
  )

  it.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['link-local, where clouds keep their metadata', '169.254.169.254'],
    ['multicast', '224.0.0.1'],
    ['multicast', '239.255.255.255'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['protocol assignments', '192.0.0.1'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['benchmarking', '198.18.0.1'],
    ['6to4 relays', '192.88.99.1'],
    ['unspecified', '::'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['a zone', '2606:4700::1111%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped private', '::ffff:10.0.0.1'],
    ['IPv4-mapped public', '::ffff:8.8.8.8'],
    ['IPv4-mapped, in hex', '::ffff:7f00:1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['NAT64 of a private network', '64:ff9b:1::1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['discard', '100::1'],
    ['not assigned', '4000::1'],
    ['not assigned', '1::1'],
    ['not an address', 'localhost'],
    ['not an address', ''],
    ['octal', '0177.0.0.1'],
    ['a number', '2130706433'],
    ['short', '127.1'],
    ['hex', '0x7f.0.0.1'],
    ['in brackets', '[::1]']
  ])('refuses %s: %s, whatever the rules and the host', (_, address) => {
    for (const name of [host, 'localhost', '127.0.0.1']) expect(isAllowedAddress(address, name, open)).toBe(false)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6()), address => {
        expect(typeof isAllowedAddress(address, host, open)).toBe('boolean')
      })
    )
  })
})
