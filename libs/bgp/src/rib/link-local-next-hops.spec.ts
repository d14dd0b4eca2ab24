import { addressBytes } from '@isthmus/net';
import { PLAIN_SESSION } from '../../testing/plain-session.ts';
import { ACCEPT, Node } from '../../testing/rib-session.ts';
import { encodeAttributes } from '../attribute/attributes.codec.ts';

describe('link-local next hops', () => {
  it('gives link-local next hops with the zone of the session that they came over', async () => {
    const us = new Node(9);
    const follower = us.rib.follow(2);
    const addresses = { localAddress: 'fe80::9%up0', remoteAs: 65_001 };
    const update = (bytes: Uint8Array, nextHop: readonly string[]) => {
      const both = Uint8Array.from(nextHop.flatMap((address) => [...addressBytes(address).bytes]));
      const reach = [{ family: 'ipv4', bytes, addPath: false, nextHop: both }] as const;
      return { withdrawn: [], reach, attributes: encodeAttributes({ origin: 0, asPath: [], nextHop: '' }), faults: [] };
    };
    for (const zone of ['up0', 'up1']) {
      const peer = us.rib.addPeer({ address: `fe80::1%${zone}`, asn: us.asn, importPolicy: ACCEPT });
      const negotiated = { ...PLAIN_SESSION, extendedNextHop: true, external: false };
      us.rib.peerUp(peer, { ...addresses, negotiated, remoteAddress: `fe80::1%${zone}`, remoteRouterId: `10.0.0.${zone.at(-1)}` });
      us.rib.receive(peer, update(Uint8Array.of(8, 10), ['fe80::1']));
      us.rib.receive(peer, update(Uint8Array.of(8, 11), ['2001:db8::1', 'fe80::1']));
      if (zone === 'up1') us.rib.peerDown(peer, 'keep-stale');
    }
    const hops = follower.next(10).map(({ route }) => route?.nextHops);
    expect(hops).toEqual([
      [{ nextHop: 'fe80::1%up0' }, { nextHop: 'fe80::1%up1' }],
      [
        { nextHop: '2001:db8::1', linkLocal: 'fe80::1%up0' },
        { nextHop: '2001:db8::1', linkLocal: 'fe80::1%up1' },
      ],
    ]);
  });

  it.each([
    ['a link-local next hop', ['fe80::1'], undefined],
    ['the link-local half of a next hop', ['2001:db8::1', 'fe80::1'], '2001:db8::1'],
  ])('passes %s on to no internal peer', (_, nextHop, expected) => {
    const us = new Node(9);
    const bytes = Uint8Array.from(nextHop.flatMap((address) => [...addressBytes(address).bytes]));
    const reach = [{ family: 'ipv6', bytes: Uint8Array.of(16, 0x20, 1), addPath: false, nextHop: bytes }] as const;
    const [source, peer] = [65_001, us.asn].map((asn, i) => {
      const number = us.rib.addPeer({ address: `fd00::${i + 1}`, asn, importPolicy: ACCEPT });
      const addresses = { localAddress: 'fd00::9', remoteAddress: `fd00::${i + 1}`, remoteAs: asn, remoteRouterId: '10.0.0.1' };
      us.rib.peerUp(number, { ...addresses, negotiated: { ...PLAIN_SESSION, external: asn !== us.asn } });
      return number;
    });
    const attributes = encodeAttributes({ origin: 0, asPath: [{ type: 'sequence', asns: [65_001] }], nextHop: '' });
    us.rib.receive(source!, { withdrawn: [], reach, attributes, faults: [] });
    us.rib.nextUpdates(peer!, 65_536);
    const [told] = [...us.rib.advertised(peer!, 'ipv6')];
    expect([told?.attributes.nextHop, told?.attributes.linkLocalNextHop]).toEqual([expected ?? 'fd00::9', undefined]);
  });
});
