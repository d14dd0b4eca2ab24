import { ConfigFlag, DropReason, EndpointFlag, PeerMode, PeerTx, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { STRICT } from './encrypted-mesh.ts';
import { packet } from './packet.ts';

const IFINDEX = 1;
const senders = [
  { object: 'pod', program: 'from_pod', source: '10.0.0.1', remote: '10.1.0.7', identity: 1001 },
  { object: 'pod', program: 'from_pod', source: 'fd00::1', remote: 'fd01::7', identity: 1001 },
  { object: 'host', program: 'from_host', source: '10.0.0.254', remote: '10.1.0.7', identity: ReservedIdentity.host },
  { object: 'host', program: 'from_host', source: 'fd00::fe', remote: 'fd01::7', identity: ReservedIdentity.host },
] as const;

let datapath: Datapath | undefined;

afterEach(() => datapath?.close());

describe.each(senders)('$program, $source', ({ object, program, source, remote, identity }) => {
  function send(flags: number, mode: PeerMode, tx: PeerTx): number {
    datapath?.close();
    datapath = new Datapath(object, { tunnelIfindex: IFINDEX, flags });
    const host = object === 'host' ? EndpointFlag.host : 0;
    datapath.endpoint(source, { ifindex: IFINDEX, identity, id: 11, flags: EndpointFlag.ready | host });
    datapath.learn(remote, 2001, 5);
    datapath.peer(5, '172.16.0.2', mode, tx);
    return datapath.run(program, packet({ source, destination: remote }), { ifindex: IFINDEX }).verdict;
  }

  it.each(['tunnel', 'native'] as const)('drops what is for a peer that no WireGuard device sends to (%s)', (mode) => {
    expect(send(STRICT, PeerMode[mode], PeerTx.closed)).toBe(Verdict.shot);
    expect(datapath?.events()).toMatchObject([
      { subtype: DropReason.unencryptedTraffic, sourceIdentity: identity, destinationIdentity: 2001 },
    ]);
    for (const tx of [PeerTx.even, PeerTx.odd]) expect(send(STRICT, PeerMode[mode], tx)).not.toBe(Verdict.shot);
  });

  it('sends it where encryption is off, or the mesh is not strict', () => {
    for (const flags of [0, ConfigFlag.encrypt, ConfigFlag.encryptStrict])
      expect(send(flags, PeerMode.tunnel, PeerTx.closed)).toBe(Verdict.redirect);
  });
});
