import { RECORD_KINDS } from '@isthmus/mesh';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Apiserver } from '../apiserver.ts';
import type { CertificateReport } from '../certificates/certificate-report.ts';

type Labels = Record<string, string>;
type Sample = [labels: Labels, value: number];

/** As the agent names it. */
const CERTIFICATE_END = 'isthmus_certificate_not_after_timestamp_seconds';

/** Metrics of the apiserver, read from its tables when somebody asks. Names are Cilium's where the meaning is the same. */
export class ApiserverMetrics {
  readonly #registry = new Registry();
  readonly #writeErrors: Counter;
  readonly #cluster: string;

  constructor(cluster: string) {
    this.#cluster = cluster;
    this.#writeErrors = this.#errorCounter('cilium_clustermesh_apiserver_kvstore_sync_errors_total');
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Counts rows that could not be written, by sink; they are tried again. */
  writeFailed(sink: string, count: number): void {
    this.#writeErrors.inc({ scope: sink, source_cluster: this.#cluster }, count);
  }

  /** All metrics in Prometheus' text form. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Declares what is read from an apiserver. Once per process. */
  observe(apiserver: Apiserver, certificates: CertificateReport): void {
    this.#observeExport(apiserver);
    this.#observeRemotes(apiserver);
    this.#observeCertificates(apiserver, certificates);
    this.#gauge('isthmus_apiserver_ready', 'Whether nothing is waited for', () => [[{}, apiserver.missing().length === 0 ? 1 : 0]]);
    this.#gauge('isthmus_table_rows', 'Rows of each table', () =>
      apiserver.store.tables().map((table) => [{ table: table.name }, table.size]),
    );
  }

  #observeExport({ exporter }: Apiserver): void {
    const source = { source_cluster: this.#cluster };
    this.#gauge('cilium_clustermesh_apiserver_kvstore_initial_sync_completed', 'Whether a kind has been exported in full', () => {
      const missing = new Set(exporter.missing());
      return RECORD_KINDS.map((kind) => [{ scope: kind, action: 'write', ...source }, missing.has(kind) ? 0 : 1]);
    });
    this.#gauge('isthmus_export_dropped_records', 'Records of this cluster that no peer would take', () =>
      exporter.drops.list().map(({ kind, reason, count }) => [{ kind, reason }, count]),
    );
  }

  #observeRemotes({ mirrors }: Apiserver): void {
    const source_cluster = this.#cluster;
    const each = (samples: (status: ReturnType<typeof mirrors.statuses>[number], labels: Labels) => Sample[]) => (): Sample[] =>
      mirrors.statuses().flatMap((status) => samples(status, { source_cluster, target_cluster: status.name }));
    this.#gauge('cilium_kvstoremesh_remote_clusters', 'Remote clusters that are configured', () => [
      [{ source_cluster }, mirrors.statuses().length],
    ]);
    this.#gauge(
      'cilium_kvstoremesh_remote_cluster_readiness_status',
      'Whether the mirror of a remote cluster is complete and current',
      each(({ remote }, labels) => [[labels, remote?.ready ? 1 : 0]]),
    );
    this.#gauge(
      'cilium_kvstoremesh_remote_cluster_failures',
      'Times that a remote cluster fell out of order',
      each(({ failures }, labels) => [[labels, failures]]),
    );
    this.#gauge(
      'cilium_kvstoremesh_remote_cluster_last_failure_ts',
      'When it last did, seconds since 1970',
      each(({ lastFailure }, labels) => [[labels, lastFailure / 1000]]),
    );
    this.#gauge(
      'cilium_kvstoremesh_kvstore_initial_sync_completed',
      'Whether a kind of records of a remote cluster has been read in full',
      each(({ remote, name }) =>
        RECORD_KINDS.map((kind) => [{ scope: kind, source_cluster: name, action: 'read' }, remote?.kinds[kind].synced ? 1 : 0]),
      ),
    );
    this.#gauge(
      'isthmus_remote_heartbeat_age_seconds',
      'Since the heartbeat of a remote cluster last changed',
      each(({ remote }, labels) => (remote ? [[labels, remote.heartbeatAgeMs / 1000]] : [])),
    );
    this.#gauge(
      'isthmus_remote_dropped_records',
      'Records of a remote cluster that were not taken',
      each(({ remote }, labels) => (remote?.dropped ?? []).map(({ kind, reason, count }) => [{ ...labels, kind, reason }, count])),
    );
  }

  #observeCertificates({ mirrors }: Apiserver, certificates: CertificateReport): void {
    this.#gauge(CERTIFICATE_END, 'When a certificate ends, seconds since 1970', async () => {
      const known = await certificates.all(mirrors.statuses().map(({ name }) => name));
      return known.map(({ name, use, notAfter }) => [{ certificate: name, use }, Date.parse(notAfter) / 1000]);
    });
  }

  #gauge(name: string, help: string, samples: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    const labelNames = ['scope', 'source_cluster', 'target_cluster', 'action', 'kind', 'reason', 'table', 'certificate', 'use'];
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      async collect() {
        const now = await samples();
        this.reset();
        for (const [labels, value] of now) this.set(labels, value);
      },
    });
  }

  #errorCounter(name: string): Counter {
    const help = 'Rows that could not be written to the mesh etcd; they are tried again';
    return new Counter({ name, help, labelNames: ['scope', 'source_cluster'], registers: [this.#registry] });
  }
}
