import fc from 'fast-check';
import { addressOf, addrKeyOf, ipcacheKeyOf } from './addr-key.ts';
import { decodeAddrKey, decodeServiceKey, encodeAddrKey, encodeIpcacheKey, encodeServiceKey } from './generated/layouts.ts';

describe('address keys', () => {
  it('stand in memory as bpf/lib/addr.h has them', () => {
    const key = encodeAddrKey(addrKeyOf(Uint8Array.of(10, 1, 2, 3)));
    expect(Buffer.from(key).toString('hex')).toBe(`00000100${'0a010203'}${'00'.repeat(12)}`);
  });

  it('come back from memory for both families', () => {
    const bytes = fc.constantFrom(4, 16).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 0xffff }), (address, net) => {
        const key = decodeAddrKey(encodeAddrKey(addrKeyOf(address, net)));
        expect(addressOf(key)).toEqual(address);
        expect(key.net).toBe(net);
      }),
    );
  });

  it('count net and family as matched bits of an ipcache prefix', () => {
    const key = encodeIpcacheKey(ipcacheKeyOf(Uint8Array.of(10, 1, 0, 0), 16));
    expect(new DataView(key.buffer).getUint32(0, true)).toBe(48);
  });

  it('refuse what is no address', () => {
    expect(() => addrKeyOf(new Uint8Array(5))).toThrow(RangeError);
  });

  it('keep ports in network order', () => {
    const key = { addr: addrKeyOf(Uint8Array.of(10, 0, 0, 1)), port: 0x1234, protocol: 6, scope: 0, slot: 0x0102 };
    const bytes = encodeServiceKey(key);
    expect([...bytes.subarray(20, 28)]).toEqual([0x12, 0x34, 6, 0, 0x02, 0x01, 0, 0]);
    expect(decodeServiceKey(bytes).port).toBe(0x1234);
  });
});
