import { CodedError, type MetricsText, type Store } from '@isthmus/core';
import type { CniHandler } from '../cni/cni-handler.ts';
import type { EventFanout } from '../datapath/event-fanout.ts';
import type { EncryptionStatus } from '../encryption/encryption-status.ts';
import { type BgpApi, bgpAnswer, drainAnswer } from './bgp-routes.ts';
import { API_NOT_FOUND, type ApiAnswer, type ApiHandler, type ApiRequest, type ApiRoutes } from './unix-server.ts';

/** What the API shows. */
export interface AgentApiOptions {
  readonly cni: Pick<CniHandler, 'handle'>;
  readonly store: Store;
  readonly status: () => object;
  readonly config: () => object;
  readonly metrics: () => Promise<MetricsText>;
  /** Rows of a BPF map, decoded; undefined when there is no such map. */
  readonly bpfMap: (name: string) => Iterable<object> | undefined;
  readonly bpfMaps: () => readonly string[];
  readonly events: EventFanout;
  /** Undefined until the node knows its pod CIDRs. */
  readonly bgp: () => BgpApi | undefined;
  readonly encryption: () => EncryptionStatus;
}

/** The agent's API: CNI, and what the agent believes, which is its tables. */
export function agentRoutes(options: AgentApiOptions): ApiRoutes {
  return new Map<string, ApiHandler>([
    ['POST /v1/cni', ({ body, signal }) => options.cni.handle(body, signal)],
    ['GET /healthz', () => ({ body: { ok: true } })],
    ['GET /v1/status', () => ({ body: options.status() })],
    ['GET /v1/config', () => ({ body: options.config() })],
    ['GET /v1/tables', (request) => ({ body: tables(options.store, request) })],
    ['GET /v1/bpf', (request) => ({ body: bpf(options, request) })],
    ['GET /v1/metrics', () => metricsAnswer(options)],
    ['GET /v1/bgp', (request) => ({ body: bgpAnswer(options.bgp(), request) })],
    ['POST /v1/bgp/drain', ({ body }) => ({ body: drainAnswer(options.bgp(), body) })],
    ['GET /v1/encryption', () => ({ body: options.encryption() })],
    ['GET /v1/monitor', ({ signal }) => monitor(options.events, signal)],
  ]);
}

async function metricsAnswer({ metrics }: AgentApiOptions): Promise<ApiAnswer> {
  const { contentType, body } = await metrics();
  return { text: body, contentType };
}

function tables(store: Store, { rest, query }: ApiRequest): unknown {
  const [name, ...key] = rest;
  if (name === undefined) return store.tables().map((table) => ({ name: table.name, rows: table.size, scopes: scopesOf(table) }));
  // A sink's status table has a slash in its name; so have most keys, which come as one element.
  const table = store.find(name) ?? store.find(rest.slice(0, 2).join('/'));
  if (!table) throw new CodedError(API_NOT_FOUND, `there is no table ${rest.join('/')}`, { object: rest.join('/') });
  const wanted = query.get('key') ?? (table.name === name ? key.join('/') : '');
  const rows = [];
  for (const [rowKey, row] of table.rows())
    if (wanted === '' || rowKey === wanted) rows.push({ key: rowKey, revision: table.revisionOf(rowKey), row });
  return rows;
}

function scopesOf(table: ReturnType<Store['tables']>[number]): Record<string, boolean> {
  return Object.fromEntries([...table.scopes.names()].map((scope) => [scope, table.scopes.isSynced(scope)]));
}

function bpf({ bpfMap, bpfMaps }: AgentApiOptions, { rest }: ApiRequest): unknown {
  const [name] = rest;
  if (name === undefined) return bpfMaps();
  const rows = bpfMap(name);
  if (!rows) throw new CodedError(API_NOT_FOUND, `there is no map ${name}`, { object: name });
  return [...rows];
}

/** One JSON object a line, for as long as the caller listens. A slow listener loses events and is told how many. */
function monitor(events: EventFanout, signal: AbortSignal): ApiAnswer {
  return {
    stream: (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.flushHeaders();
      let lost = 0;
      const stop = events.subscribe((event) => {
        if (response.writableNeedDrain) {
          lost++;
          return;
        }
        if (lost > 0) response.write(`${JSON.stringify({ type: 'lost', count: lost })}\n`);
        lost = 0;
        response.write(`${JSON.stringify(event)}\n`);
      });
      // The caller may have gone before the first event.
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    },
  };
}
