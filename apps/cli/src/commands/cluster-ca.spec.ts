import { CodedError } from '@isthmus/core';
import { CA_CHANGE_WAITS, type CaStatus, caPin } from '@isthmus/crypto';
import { type ContextFolder, contextFolder } from '../testing/context-folder.ts';
import { FakeCli } from '../testing/fake-cli.ts';
import { FakeJoinApi } from '../testing/fake-join-api.ts';

let folder: ContextFolder;
let cli: FakeCli;
let west: FakeJoinApi;
let pin: string;

beforeAll(async () => {
  folder = await contextFolder('west');
  pin = caPin(await folder.read('west/ca/ca.crt'));
});
afterAll(() => folder.remove());

beforeEach(() => {
  cli = new FakeCli();
  cli.env['ISTHMUS_CONFIG'] = folder.config;
  west = new FakeJoinApi('west', 1);
  cli.joinApis.set(west.endpoint, west);
  west.caStatus = changing(pin);
});

/** A change of CA in which `trusted` is the one that signs. */
function changing(signer: string): CaStatus {
  const notAfter = new Date(cli.clock.wall() + 86_400_000 * 30).toISOString();
  return {
    cas: [
      { name: 'isthmus-ca-west-1234', pin: signer, notAfter, signs: true },
      { name: 'isthmus-ca-west', pin: 'f'.repeat(64), notAfter, signs: false },
    ],
    waitsFor: [{ name: 'node n1', why: 'does not trust the new CA yet' }],
    stillTrusted: [],
  };
}

it('shows which CAs there are, who needs the former one, and who still trusts it', async () => {
  expect(await cli.run('cluster', 'ca', 'status')).toBe(0);
  expect(cli.out).toBe(
    'CA                     ROLE                    EXPIRES IN   PIN\n' +
      `isthmus-ca-west-1234   signs                   30d          ${pin.slice(0, 16)}\n` +
      'isthmus-ca-west        trusted until retired   30d          ffffffffffffffff\n' +
      'node n1 does not trust the new CA yet\n',
  );
  west.caStatus = { ...west.caStatus, waitsFor: [], stillTrusted: ['mesh etcd'] };
  await cli.run('cluster', 'ca', 'status');
  expect(cli.out).toContain('mesh etcd still trusts a former CA: it reads its CAs when it starts\n  what to do: Restart it.\n');
});

it('rotates, and says how to go on', async () => {
  expect(await cli.run('cluster', 'ca', 'rotate')).toBe(0);
  expect(west.calls).toEqual(['rotateCa']);
  expect(cli.err).toContain('isthmus cluster ca retire --wait');
});

describe('retire', () => {
  const waits = new CodedError(CA_CHANGE_WAITS, 'node n1 does not trust the new CA yet', { object: 'node n1' });
  /** Refuses so many times. */
  const refuse = (times: number): void => {
    const retire = west.retireCa.bind(west);
    west.retireCa = async (force) => {
      if (!force && times-- > 0) throw waits;
      return await retire(force);
    };
  };

  it('is refused while somebody would be locked out', async () => {
    refuse(1);
    expect(await cli.run('cluster', 'ca', 'retire')).toBe(3);
    expect(cli.err).toContain('CA_CHANGE_WAITS node n1: node n1 does not trust the new CA yet');
  });

  it('waits until nobody would be, or goes ahead when forced', async () => {
    refuse(3);
    expect(await cli.run('cluster', 'ca', 'retire', '--wait', '--wait-duration', '1m')).toBe(0);
    expect(west.calls).toContain('retireCa false');
    refuse(100);
    expect(await cli.run('cluster', 'ca', 'retire', '--wait', '--wait-duration', '2s')).toBe(3);
    expect(await cli.run('cluster', 'ca', 'retire', '--force')).toBe(0);
    expect(west.calls.at(-1)).toBe('retireCa true');
  });

  it('warns of a context that trusts the former CA only', async () => {
    west.caStatus = changing('e'.repeat(64));
    expect(await cli.run('cluster', 'ca', 'retire')).toBe(0);
    expect(cli.err).toContain('context west trusts the former CA only');
    expect(cli.err).toContain('isthmus context set west --ca FILE');
  });
});
