import { describe, expect, it } from 'vitest';
import { AddressList, isAddressRange } from './address-list.js';

describe('isAddressRange', () => {
  it.each(['192.0.2.7', '10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32', '::1', '2001:db8::/32', '::/0'])(
    'takes %s',
    (text) => {
      expect(isAddressRange(text)).toBe(true);
    },
  );

  it.each([
    '',
    'localhost',
    '10.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
    '::/129',
    'fe80::1%eth0',
    '10.0.0.1-10.0.0.9',
    '10.0.0.0/8/8',
    ' 10.0.0.1',
    '256.0.0.1',
  ])('refuses "%s"', (text) => {
    expect(isAddressRange(text)).toBe(false);
  });

  it('refuses what is no text', () => {
    expect(isAddressRange(10)).toBe(false);
    expect(isAddressRange(undefined)).toBe(false);
  });
});

describe('AddressList', () => {
  it('has the addresses of its ranges, and no others', () => {
    const list = new AddressList(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);
    for (const inside of ['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8:1::5', '::1']) {
      expect(list.has(inside)).toBe(true);
    }
    for (const outside of ['11.0.0.0', '9.255.255.255', '192.0.2.8', '2001:db9::', '::2']) {
      expect(list.has(outside)).toBe(false);
    }
  });

  it('takes any address of a range for the range', () => {
    expect(new AddressList(['10.1.2.3/8']).has('10.9.9.9')).toBe(true);
  });

  it('knows an IPv4 address also where the socket says ::ffff:', () => {
    expect(new AddressList(['10.0.0.0/8']).has('::ffff:10.1.1.1')).toBe(true);
    expect(new AddressList(['10.0.0.0/8']).has('::ffff:11.1.1.1')).toBe(false);
  });

  it('has nothing that is no address, and nothing at all when it is empty', () => {
    expect(new AddressList(['0.0.0.0/0']).has('localhost')).toBe(false);
    expect(new AddressList([]).has('10.0.0.1')).toBe(false);
  });
});

it('An AddressList has none of what is no range', () => {
  const list = new AddressList(['nowhere', '192.0.2.0/24']);
  expect(list.has('192.0.2.7')).toBe(true);
  expect(list.has('198.51.100.7')).toBe(false);
});
