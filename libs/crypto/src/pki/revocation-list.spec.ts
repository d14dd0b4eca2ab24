import { ManualClock } from '@isthmus/core';
import { createClusterCa } from './cluster-ca.ts';
import { revocationList } from './revocation-list.ts';
import { x509Library } from './x509-library.ts';

describe('a list of revoked certificates', () => {
  it('names serials and dates, is signed by the CA, and has the label that etcd looks for', async () => {
    const x509 = await x509Library();
    const clock = new ManualClock();
    const ca = await createClusterCa({ cluster: 'west', clock });
    const at = clock.wall() - 1_000;
    const pem = await revocationList(ca, [{ serial: '4a01', at }], clock);
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n/);
    const list = new x509.X509Crl(x509.PemConverter.decodeFirst(pem));
    expect(await list.verify({ publicKey: new x509.X509Certificate(ca.certPem) })).toBe(true);
    expect(list.entries.map(({ serialNumber, revocationDate }) => [serialNumber, revocationDate.getTime()])).toEqual([['4a01', at]]);
  });
});
