export { readConfigDir, readConfigSources } from './adapters/config-sources.ts';
export { CONFIG_KEYS, type Config, type ConfigKey, configSchema } from './config/config-schema.ts';
export { CONFIG_INVALID, nearestKey, type ParsedConfig, parseConfig } from './config/parse-config.ts';
export { ROUTING_MODES, type RoutingModeName, TUNNEL_PROTOCOLS, type TunnelProtocol, tunnelPort } from './config/tunnel.ts';
export { isAt, keySuffix, kindPrefix, objectKey, RESOURCE_PREFIX } from './resource/etcd-key.ts';
export { type FollowOptions, followResources } from './resource/follow-resources.ts';
export {
  CILIUM_NODE,
  type CiliumNode,
  ENDPOINT_SLICE,
  type EndpointSlice,
  findKind,
  KINDS,
  NAMESPACE,
  type Namespace,
  POD,
  type Pod,
  SERVICE,
  SERVICE_EXPORT,
  type Service,
  type ServiceExport,
} from './resource/kinds.ts';
export { apiVersionOf, type ObjectMeta, type Resource, type ResourceKind, resourceKey } from './resource/resource.ts';
export {
  RESOURCE_CONFLICT,
  RESOURCE_INVALID,
  RESOURCE_KIND_UNKNOWN,
  RESOURCE_NOT_FOUND,
  type ResourceChange,
  type ResourceStore,
  type ResourceWatcher,
} from './resource/resource-store.ts';
export { kindOf, parseResource } from './resource/validate.ts';
export { isIpv6, type L4Address, l4Key, type Protocol, parseL4Key } from './rows/l4-key.ts';
export { RESERVED_IDENTITY } from './rows/reserved-identity.ts';
export type * from './rows/rows.ts';
