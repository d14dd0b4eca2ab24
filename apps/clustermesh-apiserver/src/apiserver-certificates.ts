import { dirname, join } from 'node:path';
import type { Clock, Random } from '@isthmus/core';
import { CaDirectory, type ControlPlaneName, controlPlanePairs, JoinClient, revocationList, writeCertificateFile } from '@isthmus/crypto';
import type { EtcdConfig } from '@isthmus/kvstore';
import { FileLedgerStore } from './certificates/adapters/file-ledger-store.ts';
import { trustsFormerCa } from './certificates/adapters/former-ca-probe.ts';
import { endEtcdConnections } from './certificates/adapters/mesh-etcd-connections.ts';
import { CaChange } from './certificates/ca-change.ts';
import type { Dependents } from './certificates/ca-waiting.ts';
import { CertificateReport } from './certificates/certificate-report.ts';
import { CheckIns } from './certificates/check-ins.ts';
import { IssuedLedger } from './certificates/issued-ledger.ts';
import { OwnCertificates } from './certificates/own-certificates.ts';
import { RecordingSigner } from './certificates/recording-signer.ts';
import { Refusals } from './certificates/refusals.ts';
import { MeshEtcdAccess } from './certificates/remote-access.ts';
import { RemoteCredentials } from './certificates/remote-credentials.ts';
import { CaSigner } from './join/adapters/ca-signer.ts';
import { FileRemoteConfigStore } from './join/adapters/file-remote-config-store.ts';
import type { JoinPorts } from './join/join.module.ts';
import type { EtcdUsers } from './join/ports.ts';
import type { Log } from './log.ts';
import type { ApiserverSettings } from './settings.ts';

/** What {@link ApiserverCertificates} is made of. */
export interface ApiserverCertificatesOptions {
  settings: ApiserverSettings;
  users: EtcdUsers;
  /** How this process reaches its cluster's two etcds. */
  etcds: { cluster: EtcdConfig; mesh: EtcdConfig };
  /** Names of the cluster's nodes; undefined while they are not known. */
  nodes(): readonly string[] | undefined;
  onRenewed(names: readonly ControlPlaneName[]): void;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Everything in this process that has to do with certificates: who has which, who renews them, whose are refused. */
export class ApiserverCertificates {
  readonly ledger: IssuedLedger;
  readonly signer: RecordingSigner;
  readonly checkIns: CheckIns;
  readonly refusals: Refusals;
  readonly access: MeshEtcdAccess;
  readonly report: CertificateReport;
  readonly change: CaChange;
  readonly #options: ApiserverCertificatesOptions;
  readonly #ca: CaDirectory;
  readonly #own: OwnCertificates;
  readonly #credentials: RemoteCredentials;

  constructor(options: ApiserverCertificatesOptions) {
    const { settings, users, clock, log, etcds } = options;
    const { pki, stateFolder, certificateMs } = settings;
    this.#options = options;
    this.#ca = new CaDirectory(dirname(pki.ca.cert));
    this.ledger = new IssuedLedger(new FileLedgerStore(join(stateFolder, 'issued.json')), clock);
    this.signer = new RecordingSigner(new CaSigner(dirname(pki.ca.cert), clock, certificateMs), this.ledger);
    this.checkIns = new CheckIns(clock);
    this.refusals = new Refusals(clock);
    this.#own = this.#ownCertificates();
    this.#credentials = this.#remoteCredentials();
    this.access = new MeshEtcdAccess({
      users,
      ledger: this.ledger,
      publishRevoked: async (revoked) =>
        await writeCertificateFile(pki.meshEtcdRevoked, await revocationList(await this.#ca.signer(), revoked, clock)),
      endConnections: () => endEtcdConnections(etcds.mesh, log),
      log,
    });
    this.report = this.#makeReport();
    this.change = this.#caChange();
  }

  /** What the join API takes from here. */
  get ports(): Pick<JoinPorts, 'signer' | 'access' | 'ledger' | 'checkIns' | 'refusals' | 'certificates' | 'ca'> {
    const { signer, access, ledger, checkIns, refusals, report, change } = this;
    return { signer, access, ledger, checkIns, refusals, certificates: report, ca: change };
  }

  /** Looks after all of them until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#own.run(signal), this.#credentials.run(signal)]);
  }

  #ownCertificates(): OwnCertificates {
    const { settings, ...options } = this.#options;
    const pairs = controlPlanePairs(settings.pkiFolder, settings.own.cluster, options.clock);
    return new OwnCertificates({ ...options, pairs, validityMs: settings.certificateMs });
  }

  #remoteCredentials(): RemoteCredentials {
    const { settings, ...options } = this.#options;
    return new RemoteCredentials({
      ...options,
      own: settings.own.cluster,
      store: new FileRemoteConfigStore(settings.remotesFolder),
      connect: (endpoint, { certificates, keyPem, caBundle }) =>
        new JoinClient({ endpoint, trust: { caBundle }, credential: { certPem: certificates[0] ?? '', keyPem } }),
    });
  }

  #makeReport(): CertificateReport {
    const { clock } = this.#options;
    const { ledger, checkIns, refusals } = this;
    const [own, credentials] = [this.#own, this.#credentials];
    return new CertificateReport({
      own,
      credentials,
      ledger,
      checkIns,
      refusals,
      caBundle: () => this.#ca.bundle(),
      now: () => clock.wall(),
    });
  }

  #caChange(): CaChange {
    const { settings, etcds, clock, random, log } = this.#options;
    const former = this.#ca.former;
    return new CaChange({
      cluster: settings.own.cluster,
      ca: this.#ca,
      dependents: () => this.#dependents(),
      renewOwn: () => this.#own.look(),
      stillTrusting: async () => {
        const named = [['cluster etcd', etcds.cluster] as const, ['mesh etcd', etcds.mesh] as const];
        const trusting = await Promise.all(named.map(([, etcd]) => trustsFormerCa({ etcd, former, clock, random })));
        return named.flatMap(([name], index) => (trusting[index] ? [name] : []));
      },
      clock,
      log,
    });
  }

  async #dependents(): Promise<Dependents> {
    const remotes = await new FileRemoteConfigStore(this.#options.settings.remotesFolder).list();
    return {
      own: this.#own.list(),
      nodes: this.#options.nodes()?.map((name) => ({ name, last: this.checkIns.last('node', name) })),
      remotes: remotes.map(({ name }) => ({ name, last: this.checkIns.last('remote', name) })),
    };
  }
}
