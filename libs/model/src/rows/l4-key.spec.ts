import fc from 'fast-check';
import { l4Key, parseL4Key } from './l4-key.ts';

describe('l4Key', () => {
  it('brackets IPv6', () => {
    expect(l4Key('TCP', '10.1.0.5', 80)).toBe('TCP/10.1.0.5:80');
    expect(l4Key('UDP', 'fd00::5', 53)).toBe('UDP/[fd00::5]:53');
  });

  it('reads back (property)', () => {
    const address = fc.record({
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
      ip: fc.oneof(fc.ipV4(), fc.ipV6()),
      port: fc.integer({ min: 1, max: 65535 }),
    });
    fc.assert(
      fc.property(address, ({ protocol, ip, port }) => expect(parseL4Key(l4Key(protocol, ip, port))).toEqual({ protocol, ip, port })),
    );
  });
});
