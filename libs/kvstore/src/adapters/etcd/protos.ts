import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';

/** A gRPC method as the client needs it: its path, and the two directions of its codec. */
export interface EtcdMethod<Q, R> {
  path: string;
  serialize(request: Q): Buffer;
  deserialize(buffer: Buffer): R;
}

const PROTO = fileURLToPath(new URL('../../../proto/etcd.proto', import.meta.url));
let services: Record<string, ServiceDefinition> | undefined;

function load(): Record<string, ServiceDefinition> {
  // 64-bit numbers as text: cluster, member and lease ids do not fit a number
  services ??= loadSync(PROTO, { longs: String, enums: String, defaults: true }) as unknown as Record<string, ServiceDefinition>;
  return services;
}

/** The definition of `Service/Method` in `proto/etcd.proto`. */
export function definition(service: string, method: string): MethodDefinition<object, object> {
  const found = load()[`etcdserverpb.${service}`]?.[method];
  if (!found) throw new Error(`etcd.proto has no ${service}/${method}`);
  return found as MethodDefinition<object, object>;
}

/** A method whose answers are read by `decode`, or by the definition without one. The proto file is read at the first use. */
export function etcdMethod<Q extends object, R>(service: string, method: string, decode?: (buffer: Buffer) => R): EtcdMethod<Q, R> {
  return {
    path: `/etcdserverpb.${service}/${method}`,
    serialize: (request) => definition(service, method).requestSerialize(request),
    deserialize: decode ?? ((buffer) => definition(service, method).responseDeserialize(buffer) as R),
  };
}
