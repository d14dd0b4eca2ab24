import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ManualClock, systemClock } from '@isthmus/core';
import { certificateFacts, clusterPki, writeCertificateFile } from '@isthmus/crypto';
import { CaSigner } from './adapters/ca-signer.ts';
import { TLS_RELOAD_MS, TlsReload } from './tls-reload.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-tls-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

function shownSerial(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('TlsReload', () => {
  it('serves a replaced certificate without a restart, and the old one while the new is half written', async () => {
    const cluster = { cluster: 'west', controlPlaneIps: ['127.0.0.1'] };
    const pki = await clusterPki(dir, cluster);
    const ca = await readFile(pki.ca.cert, 'utf8');
    const clock = new ManualClock();
    const lines: string[] = [];
    const log = { info: (): void => undefined, error: (_: object, m: string): void => void lines.push(m) };
    const paths = { certPath: pki.joinApi.cert, keyPath: pki.joinApi.key };
    const reload = new TlsReload(paths, { signer: new CaSigner(join(dir, 'ca'), systemClock), clock, log });
    const server = createServer({ ...(await reload.read()) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const serialOnDisk = async (): Promise<string> => certificateFacts(await readFile(pki.joinApi.cert, 'utf8')).serial;
    const first = await serialOnDisk();
    expect(await shownSerial(port, ca)).toBe(first);

    await clusterPki(dir, { ...cluster, controlPlaneIps: ['127.0.0.1', '192.0.2.1'] });
    const whole = await readFile(pki.joinApi.cert, 'utf8');
    await writeCertificateFile(pki.joinApi.cert, 'half');
    await reload.refresh(server);
    expect(await shownSerial(port, ca)).toBe(first);

    await writeCertificateFile(pki.joinApi.cert, whole);
    const taken = new Promise<void>((resolve) => {
      log.info = () => resolve();
    });
    reload.watch(server);
    clock.advance(TLS_RELOAD_MS);
    await taken;
    expect(await shownSerial(port, ca)).toBe(await serialOnDisk());
    expect(await serialOnDisk()).not.toBe(first);
    expect(lines).toEqual(['server certificate cannot be re-read']);
    reload.stop();
    await new Promise((resolve) => server.close(resolve));
  });
});
