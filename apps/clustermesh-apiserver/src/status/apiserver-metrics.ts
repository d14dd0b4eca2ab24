import { MetricSet, measureOwnProcess, prometheusText } from '@isthmus/core';
import { RECORD_KINDS, type RecordKind, recordScope } from '@isthmus/mesh';
import type { Apiserver } from '../apiserver.ts';
import type { CertificateReport } from '../certificates/certificate-report.ts';
import type { MirrorStatus } from '../mirror/remote-mirrors.ts';
import { APISERVER_METRICS } from './metric-list.ts';

type RemoteLabels = Readonly<Record<'source_cluster' | 'target_cluster', string>>;

/** Metrics of the apiserver: what it counts, and what is read from its tables when somebody asks. */
export class ApiserverMetrics {
  readonly #metrics = new MetricSet(APISERVER_METRICS);
  readonly #source: { readonly source_cluster: string };

  constructor(cluster: string) {
    this.#source = { source_cluster: cluster };
    measureOwnProcess(this.#metrics, '');
  }

  /** Counts rows that could not be written; they are tried again. @param sink `state/<kind>` or `cache/<kind>`, or others in these two */
  writeFailed(sink: string, count: number): void {
    const [half, kind = ''] = sink.split('/');
    const process = half === 'cache' ? 'kvstoremesh' : 'clustermesh_apiserver';
    const scope = isKind(kind) ? recordScope(kind) : kind;
    this.#metrics.add(`cilium_${process}_kvstore_sync_errors_total`, { scope, ...this.#source }, count);
  }

  /** All metrics in Prometheus' text form. */
  async text(): Promise<string> {
    return (await prometheusText(this.#metrics)).body;
  }

  /** Says what is read from an apiserver. Once per process. */
  observe(apiserver: Apiserver, certificates: CertificateReport): void {
    this.#observeExport(apiserver);
    this.#observeRemotes(apiserver);
    this.#observeCertificates(apiserver, certificates);
    this.#metrics.read('isthmus_apiserver_ready', () => [[{}, apiserver.missing().length === 0 ? 1 : 0]]);
    this.#metrics.read('isthmus_table_rows', () => apiserver.store.tables().map((table) => [{ table: table.name }, table.size]));
  }

  #observeExport({ exporter }: Apiserver): void {
    this.#metrics.read('cilium_clustermesh_apiserver_kvstore_initial_sync_completed', () => {
      const missing = new Set(exporter.missing());
      return RECORD_KINDS.map((kind) => [{ scope: recordScope(kind), action: 'write', ...this.#source }, missing.has(kind) ? 0 : 1]);
    });
    this.#metrics.read('isthmus_export_dropped_records_total', () =>
      exporter.drops.list().map(({ kind, reason, count }) => [{ kind, reason }, count]),
    );
  }

  #observeRemotes({ mirrors }: Apiserver): void {
    const labelled = (status: MirrorStatus): RemoteLabels => ({ ...this.#source, target_cluster: status.name });
    const each = (value: (status: MirrorStatus) => number) => (): [RemoteLabels, number][] =>
      mirrors.statuses().map((status) => [labelled(status), value(status)]);
    const metrics = this.#metrics;
    metrics.read('cilium_kvstoremesh_remote_clusters', () => [[this.#source, mirrors.statuses().length]]);
    metrics.read(
      'cilium_kvstoremesh_remote_cluster_readiness_status',
      each(({ remote }) => (remote?.ready ? 1 : 0)),
    );
    metrics.read(
      'cilium_kvstoremesh_remote_cluster_failures',
      each(({ failures }) => failures),
    );
    metrics.read(
      'cilium_kvstoremesh_remote_cluster_last_failure_ts',
      each(({ lastFailure }) => lastFailure / 1000),
    );
    metrics.read('cilium_kvstoremesh_kvstore_initial_sync_completed', () =>
      mirrors
        .statuses()
        .flatMap(({ name, remote }) =>
          RECORD_KINDS.map(
            (kind) => [{ scope: recordScope(kind), source_cluster: name, action: 'read' }, remote?.kinds[kind].synced ? 1 : 0] as const,
          ),
        ),
    );
    // Without a connection there is no heartbeat to be of any age.
    metrics.read(
      'isthmus_remote_heartbeat_age_seconds',
      each(({ remote }) => (remote ? remote.heartbeatAgeMs / 1000 : Number.NaN)),
    );
    metrics.read('isthmus_remote_dropped_records_total', () =>
      mirrors
        .statuses()
        .flatMap((status) =>
          (status.remote?.dropped ?? []).map(({ kind, reason, count }) => [{ ...labelled(status), kind, reason }, count] as const),
        ),
    );
  }

  #observeCertificates({ mirrors }: Apiserver, certificates: CertificateReport): void {
    this.#metrics.read('isthmus_certificate_not_after_timestamp_seconds', async () => {
      const known = await certificates.all(mirrors.statuses().map(({ name }) => name));
      return known.map(({ name, use, notAfter }) => [{ certificate: name, use }, Date.parse(notAfter) / 1000] as const);
    });
  }
}

function isKind(text: string): text is RecordKind {
  return (RECORD_KINDS as readonly string[]).includes(text);
}
