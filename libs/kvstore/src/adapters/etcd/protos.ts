import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';

/** A gRPC method as the client needs it: its path, and the two directions of its codec. */
export interface EtcdMethod<Q, R> {
  path: string;
  serialize(request: Q): Buffer;
  deserialize(buffer: Buffer): R;
}

const PROTO = fileURLToPath(new URL('../../../proto/etcd.proto', import.meta.url));
let services: Record<string, ServiceDefinition> | undefined;

/** A reader of proto files is 10 MB that an agent does not need: only administrators' calls are made by the definitions. */
function load(): Record<string, ServiceDefinition> {
  const { loadSync } = createRequire(import.meta.url)('@grpc/proto-loader') as typeof import('@grpc/proto-loader');
  // 64-bit numbers as text: cluster, member and lease ids do not fit a number
  return loadSync(PROTO, { longs: String, enums: String, defaults: true }) as unknown as Record<string, ServiceDefinition>;
}

/** The definition of `Service/Method` in `proto/etcd.proto`, which is read at the first use. */
export function definition(service: string, method: string): MethodDefinition<object, object> {
  services ??= load();
  const found = services[`etcdserverpb.${service}`]?.[method];
  if (!found) throw new Error(`etcd.proto has no ${service}/${method}`);
  return found as MethodDefinition<object, object>;
}

/** A method with a codec of our own. */
export function etcdMethod<Q, R>(
  service: string,
  method: string,
  serialize: (request: Q) => Buffer,
  deserialize: (buffer: Buffer) => R,
): EtcdMethod<Q, R> {
  return { path: pathOf(service, method), serialize, deserialize };
}

/** A method by its definition: requests and answers are objects as proto3's JSON has them. */
export function definedMethod<R>(service: string, method: string): EtcdMethod<object, R> {
  return {
    path: pathOf(service, method),
    serialize: (request) => definition(service, method).requestSerialize(request),
    deserialize: (buffer) => definition(service, method).responseDeserialize(buffer) as R,
  };
}

function pathOf(service: string, method: string): string {
  return `/etcdserverpb.${service}/${method}`;
}
