import {
  type BgpInstance,
  type BgpOverrideInstance,
  type CiliumBGPClusterConfig,
  type CiliumBGPNodeConfigOverride,
  type CiliumBGPPeerConfig,
  type LabelSelector,
  type Secret,
  secretValue,
} from '@isthmus/model';

/** What the operator keeps of a CiliumBGPClusterConfig. */
export interface BgpClusterConfigRow {
  readonly name: string;
  readonly uid: string;
  /** Undefined: all nodes. */
  readonly nodeSelector: LabelSelector | undefined;
  readonly instances: readonly BgpInstance[];
  /** It names BMP servers. */
  readonly bmp: boolean;
}

/** The row of a cluster config. */
export function bgpClusterConfigRow({ metadata, spec }: CiliumBGPClusterConfig): BgpClusterConfigRow {
  const servers = [spec.bmpServers, ...spec.bgpInstances.map(({ bmpServers }) => bmpServers)];
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    nodeSelector: spec.nodeSelector,
    instances: spec.bgpInstances,
    bmp: servers.some((each) => each !== undefined && each.length > 0),
  };
}

/** What the operator keeps of a CiliumBGPNodeConfigOverride. Its key is the node's name. */
export interface BgpOverrideRow {
  readonly instances: readonly BgpOverrideInstance[];
}

/** The row of an override. */
export function bgpOverrideRow({ spec }: CiliumBGPNodeConfigOverride): BgpOverrideRow {
  return { instances: spec.bgpInstances };
}

/** What the operator keeps of a CiliumBGPPeerConfig. */
export interface BgpPeerConfigRow {
  /** Name of the Secret with the password; undefined when sessions have none. */
  readonly secret: string | undefined;
}

/** The row of a peer config. */
export function bgpPeerConfigRow({ spec }: CiliumBGPPeerConfig): BgpPeerConfigRow {
  return { secret: spec.authSecretRef };
}

/** What the operator keeps of a Secret: nothing that is secret. */
export interface BgpSecretRow {
  readonly hasPassword: boolean;
}

/** Key of a Secret under which the password lies. */
export const PASSWORD_KEY = 'password';

/** The row of a Secret of the namespace of BGP secrets. */
export function bgpSecretRow(secret: Secret): BgpSecretRow {
  return { hasPassword: (secretValue(secret, PASSWORD_KEY)?.length ?? 0) > 0 };
}
