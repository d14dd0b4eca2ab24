export { readConfigDir, readConfigSources } from './adapters/config-sources.ts';
export { CONFIG_KEYS, type Config, type ConfigKey, configSchema } from './config/config-schema.ts';
export { ENCRYPTION_EXEMPTIONS, type EncryptionExemption } from './config/encryption-exemptions.ts';
export { CONFIG_INVALID, nearestKey, type ParsedConfig, parseConfig } from './config/parse-config.ts';
export { ROUTING_MODES, type RoutingModeName, TUNNEL_PROTOCOLS, type TunnelProtocol, tunnelPort } from './config/tunnel.ts';
export { KEY_EXCHANGE_PORT, WIREGUARD_PORTS } from './config/wireguard-ports.ts';
export { type BgpCommunity, parseCommunity, WELL_KNOWN_COMMUNITIES } from './resource/bgp-community.ts';
export {
  type BgpPeerBfd,
  type BgpPeerSpec,
  type BgpPeerTimers,
  DEFAULT_BGP_PORT,
  peerBfd,
  peerFamilies,
  peerMultihop,
  peerPort,
  peerRestartSeconds,
  peerRouteImport,
  peerTimers,
} from './resource/bgp-peer-defaults.ts';
export { isAt, keySuffix, kindPrefix, objectKey, RESOURCE_PREFIX } from './resource/etcd-key.ts';
export { type FollowOptions, type FollowRowsOptions, followResources, followRows } from './resource/follow-resources.ts';
export {
  BGP_LOAD_BALANCER_CLASS,
  type BgpAdvertisementEntry,
  CILIUM_BGP_ADVERTISEMENT,
  type CiliumBGPAdvertisement,
  SERVICE_NAME_LABEL,
  SERVICE_NAMESPACE_LABEL,
} from './resource/kinds/bgp-advertisement.ts';
export {
  type BgpInstance,
  type BgpPeer,
  CILIUM_BGP_CLUSTER_CONFIG,
  type CiliumBGPClusterConfig,
} from './resource/kinds/bgp-cluster-config.ts';
export {
  type BgpNodeInstance,
  type BgpNodePeer,
  type BgpNodePeerStatus,
  type BgpOverrideInstance,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  type CiliumBGPNodeConfig,
  type CiliumBGPNodeConfigOverride,
} from './resource/kinds/bgp-node-config.ts';
export { type BgpPeerFamily, CILIUM_BGP_PEER_CONFIG, type CiliumBGPPeerConfig } from './resource/kinds/bgp-peer-config.ts';
export type { BgpAutoDiscovery } from './resource/kinds/bgp-peer-fields.ts';
export { type BgpImportPrefix, type BgpImportRule, type BgpRouteImport, importedLengths } from './resource/kinds/bgp-route-import.ts';
export { CILIUM_NODE, type CiliumNode } from './resource/kinds/cilium-node.ts';
export {
  CILIUM_LOAD_BALANCER_IP_POOL,
  CILIUM_POD_IP_POOL,
  type CiliumLoadBalancerIPPool,
  type CiliumPodIPPool,
  type LoadBalancerBlock,
} from './resource/kinds/ip-pools.ts';
export { NAMESPACE, type Namespace } from './resource/kinds/namespace.ts';
export { POD, type Pod } from './resource/kinds/pod.ts';
export { SECRET, type Secret, secretValue, withoutSecretData } from './resource/kinds/secret.ts';
export {
  ENDPOINT_SLICE,
  type EndpointSlice,
  SERVICE,
  SERVICE_EXPORT,
  type Service,
  type ServiceExport,
} from './resource/kinds/service.ts';
export { findKind, KINDS } from './resource/kinds.ts';
export { type LabelSelector, matchesSelector } from './resource/label-selector.ts';
export { parseLabelSelector } from './resource/label-selector-text.ts';
export { apiVersionOf, type ObjectMeta, type Resource, type ResourceKind, resourceKey } from './resource/resource.ts';
export {
  RESOURCE_CONFLICT,
  RESOURCE_INVALID,
  RESOURCE_KIND_UNKNOWN,
  RESOURCE_NOT_FOUND,
  type ResourceChange,
  type ResourcePart,
  type ResourceStore,
  type ResourceWatcher,
} from './resource/resource-store.ts';
export { kindOf, parseResource } from './resource/validate.ts';
export { isIpv6, type L4Address, l4Key, type Protocol, parseL4Key } from './rows/l4-key.ts';
export { RESERVED_IDENTITY } from './rows/reserved-identity.ts';
export type * from './rows/rows.ts';
