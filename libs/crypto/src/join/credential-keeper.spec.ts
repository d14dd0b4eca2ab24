import { CodedError, ManualClock, seededRandom } from '@isthmus/core';
import { mergeBundles } from '../pki/ca-bundle.ts';
import { certificateFacts } from '../pki/certificate-facts.ts';
import { clientProfile } from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { type CaKeyPair, createClusterCa, createSuccessorCa } from '../pki/cluster-ca.ts';
import { keyBelongsTo } from '../pki/key-pair.ts';
import { signRequest } from '../pki/sign-request.ts';
import { type Credential, type CredentialEvent, CredentialKeeper } from './credential-keeper.ts';
import type { JoinApi } from './join-api.ts';
import type { CheckInRequest } from './join-wire.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const refusal = new CodedError({ code: 'JOIN_API_UNREACHABLE', meaning: '', action: 'Start it.' }, 'no answer');

/** East, as west's keeper sees it: a CA that signs certificates of an hour, and what west told and asked. */
class East {
  readonly clock = new ManualClock();
  readonly checkIns: CheckInRequest[] = [];
  readonly calledWith: string[] = [];
  readonly events: CredentialEvent[] = [];
  ca!: CaKeyPair;
  bundle = '';
  disk!: Credential;
  fault: CodedError | undefined;
  asName = 'remote-west';
  signed = 0;

  async setUp(): Promise<void> {
    this.ca = await createClusterCa({ cluster: 'east', clock: this.clock });
    this.bundle = this.ca.certPem;
    const { keyPem, csrPem } = await newKeyAndRequest({ commonName: 'remote-west' });
    this.disk = { keyPem, caBundle: this.bundle, certificates: [await this.sign(csrPem)] };
  }

  async sign(csrPem: string): Promise<string> {
    return await signRequest({
      ca: this.ca,
      csrPem,
      profile: { ...clientProfile(this.asName), validityMs: HOUR_MS },
      clock: this.clock,
    });
  }

  keeper(known = true): CredentialKeeper {
    return new CredentialKeeper({
      name: 'west',
      commonNames: ['remote-west'],
      files: {
        read: async () => this.disk,
        writeBundle: async (caBundle) => {
          this.disk = { ...this.disk, caBundle };
        },
        writeCertificates: async (certificates) => {
          this.disk = { ...this.disk, certificates };
        },
      },
      connect: known ? (credential) => this.#api(credential) : undefined,
      request: async (api, csr) => [(await api.renew('west', csr)).certificate],
      recovery: 'Connect anew.',
      clock: this.clock,
      random: seededRandom(1),
      onEvent: (event) => this.events.push(event),
    });
  }

  get serial(): string {
    return certificateFacts(this.disk.certificates[0]!).serial;
  }

  #api(credential: Credential): JoinApi {
    this.calledWith.push(certificateFacts(credential.certificates[0]!).serial);
    return {
      checkIn: async (request: CheckInRequest) => {
        if (this.fault) throw this.fault;
        this.checkIns.push(request);
        return { caBundle: this.bundle };
      },
      renew: async (_: string, csr: string) => {
        this.signed++;
        return { certificate: await this.sign(csr) };
      },
    } as Partial<JoinApi> as JoinApi;
  }
}

describe('CredentialKeeper', () => {
  let east: East;
  beforeEach(async () => {
    east = new East();
    await east.setUp();
  });

  it('leaves a young certificate alone, and renews an older one for the same key, called with the old one', async () => {
    const keeper = east.keeper();
    const first = east.serial;
    await keeper.look();
    expect([east.serial, east.signed]).toEqual([first, 0]);
    east.clock.advance(35 * MINUTE_MS);
    await keeper.look();
    expect(east.serial).not.toBe(first);
    expect(new Set(east.calledWith)).toEqual(new Set([first]));
    expect(keyBelongsTo(east.disk.certificates[0]!, east.disk.keyPem)).toBe(true);
    expect(keeper.state).toMatchObject({ error: undefined, certificates: [{ serial: east.serial }] });
    expect(east.events).toEqual([{ type: 'renewed', facts: [expect.objectContaining({ serial: east.serial })] }]);
  });

  it('takes a new CA over, says so at once, and has itself certified by it', async () => {
    const keeper = east.keeper();
    const former = east.ca;
    east.ca = await createSuccessorCa({ cluster: 'east', clock: east.clock }, former);
    east.bundle = mergeBundles(east.ca.certPem, former.certPem);
    await keeper.look();
    expect(east.checkIns.map(({ trusts }) => trusts.length)).toEqual([1, 2]);
    expect(east.disk.caBundle).toBe(east.bundle);
    expect(certificateFacts(east.disk.certificates[0]!).issuer).toBe(certificateFacts(east.ca.certPem).cn);
    await keeper.look();
    expect(east.signed).toBe(1);
    east.bundle = east.ca.certPem;
    await keeper.look();
    expect(east.disk.caBundle).toBe(east.bundle);
  });

  it('says once what is wrong, again when it gets worse, and nothing once it is well', async () => {
    const keeper = east.keeper();
    east.fault = refusal;
    const codes = (): string[] => east.events.flatMap((event) => (event.type === 'problem' ? [event.problem.code] : []));
    for (let i = 0; i < 3; i++) await keeper.look();
    expect(codes()).toEqual(['JOIN_API_UNREACHABLE']);
    east.clock.advance(45 * MINUTE_MS);
    for (let i = 0; i < 3; i++) await keeper.look();
    expect(codes()).toEqual(['JOIN_API_UNREACHABLE', 'CERTIFICATE_RENEWAL']);
    east.clock.advance(20 * MINUTE_MS);
    await keeper.look();
    expect(codes()).toEqual(['JOIN_API_UNREACHABLE', 'CERTIFICATE_RENEWAL', 'CERTIFICATE_EXPIRED']);
    expect(keeper.problemOf(keeper.state.certificates[0]!)?.action).toBe('Connect anew.');
    east.fault = undefined;
    await keeper.look();
    expect(codes()).toHaveLength(3);
    expect(keeper.problemOf(keeper.state.certificates[0]!)).toBeUndefined();
  });

  it('keeps what it has when the answer does not hold', async () => {
    const keeper = east.keeper();
    const before = east.disk;
    east.clock.advance(35 * MINUTE_MS);
    east.asName = 'remote-north';
    await keeper.look();
    expect(keeper.state.error?.code).toBe('CERTIFICATE_NAME');
    const other = await createClusterCa({ cluster: 'other', clock: east.clock });
    [east.asName, east.ca] = ['remote-west', other];
    await keeper.look();
    expect(keeper.state.error?.code).toBe('CERTIFICATE_WRONG_CA');
    east.bundle = 'nonsense';
    await keeper.look();
    expect(keeper.state.error?.code).toBe('CA_BUNDLE_INVALID');
    expect(east.disk).toEqual(before);
  });

  it('watches the dates alone where nobody can be asked', async () => {
    const keeper = east.keeper(false);
    east.clock.advance(45 * MINUTE_MS);
    await keeper.look();
    expect(keeper.problemOf(keeper.state.certificates[0]!)?.code).toBe('CERTIFICATE_RENEWAL');
    expect(east.calledWith).toEqual([]);
  });

  it('looks again until it is stopped, also when it fails', async () => {
    const keeper = east.keeper();
    const stop = new AbortController();
    east.fault = refusal;
    // Each wait passes at once, and the clock with it.
    east.clock.after = (ms, wake) => {
      const soon = setImmediate(() => {
        east.clock.advance(ms);
        if (east.calledWith.length === 3) east.fault = undefined;
        if (east.signed > 0) stop.abort();
        else wake();
      });
      return () => clearImmediate(soon);
    };
    await keeper.run(stop.signal);
    expect(east.calledWith.length).toBeGreaterThan(3);
    expect(east.clock.now()).toBeLessThan(40 * MINUTE_MS);
  });
});
