import { type Cancel, type Clock, LOCAL_SCOPE } from '@isthmus/core';
import { CILIUM_BGP_PEER_CONFIG, type CiliumBGPPeerConfig, type Resource, type ResourceStore, SECRET, type Secret } from '@isthmus/model';
import type { BgpTables } from './bgp-tables.ts';
import type { KeptBgp as Kept, KeptBgpFile } from './kept-bgp-file.ts';
import { KeptResources } from './kept-resources.ts';

/** Changes come in bursts, and the next start is far away. */
const SAVE_MS = 1_000;

/** What the keeper works with. */
export interface KeptBgpOptions {
  readonly resources: Pick<ResourceStore, 'watch'>;
  readonly tables: BgpTables;
  readonly file: Pick<KeptBgpFile, 'load' | 'save'>;
  readonly clock: Clock;
  /** It could not be saved; that is tried again with the next change. */
  readonly onFailed: (error: unknown) => void;
}

/** Keeps what BGP was told and what it announces, so that an agent which starts while its etcd is down has its sessions all the same. */
export class KeptBgp {
  /** What to watch with: delivers what was kept, then what is. */
  readonly resources: KeptResources;
  /** Whether there is anything of an earlier run. */
  readonly isThere: boolean;
  readonly #options: KeptBgpOptions;
  #cancel: Cancel | undefined;

  constructor(options: KeptBgpOptions) {
    const kept: Kept | undefined = options.file.load();
    this.#options = options;
    this.isThere = kept !== undefined;
    this.resources = new KeptResources(options.resources, withoutStatus, kept?.resources);
    const { keptOrigins } = options.tables.sources;
    for (const [key, row] of kept?.origins ?? []) keptOrigins.put(key, row);
    keptOrigins.synced(LOCAL_SCOPE);
  }

  /** Something in the tables is another: what was announced goes once it is known what is to be, and that is saved. */
  changed(): void {
    const { origins, sources, refusals } = this.#options.tables;
    if (!origins.scopes.isSynced(LOCAL_SCOPE) || !refusals.scopes.isSynced(LOCAL_SCOPE)) return;
    for (const [key] of [...sources.keptOrigins.table.rows()]) sources.keptOrigins.delete(key);
    this.#cancel ??= this.#options.clock.after(SAVE_MS, () => this.#save());
  }

  /** Saves what is not saved yet. */
  stop(): void {
    if (this.#cancel !== undefined) this.#save();
  }

  #save(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const { file, tables, onFailed } = this.#options;
    try {
      file.save({ resources: needed([...this.resources.objects()]), origins: [...tables.origins.rows()] });
    } catch (error) {
      onFailed(error);
    }
  }
}

/** The status says what is, not what is wanted; of a secret only the password is ours. */
function withoutStatus({ apiVersion, kind, metadata, ...rest }: Resource): Resource | undefined {
  const { name, namespace, labels } = metadata;
  const shape = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) } };
  if (kind !== SECRET.kind) return { ...shape, ...('spec' in rest && { spec: rest.spec }) } as Resource;
  const password = (rest as Partial<Secret>).data?.['password'];
  return password === undefined ? undefined : ({ ...shape, data: { password } } as Resource);
}

/** All but the secrets that no peer config names. */
function needed(objects: readonly Resource[]): Resource[] {
  const isConfig = (object: Resource): object is CiliumBGPPeerConfig => object.kind === CILIUM_BGP_PEER_CONFIG.kind;
  const named = new Set(objects.filter(isConfig).map(({ spec }) => spec.authSecretRef));
  return objects.filter(({ kind, metadata }) => kind !== SECRET.kind || named.has(metadata.name));
}
