import { z } from 'zod';
import { type Resource, type ResourceKind, resourceSchema } from './resource.ts';

const port = z.int().min(1).max(65535);
const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
const address = z.union([z.ipv4(), z.ipv6()]);
const cidr = z.union([z.cidrv4(), z.cidrv6()]);
const stringMap = z.record(z.string(), z.string());

function kind<T extends Resource>(entry: ResourceKind<T>): ResourceKind<T> {
  return Object.freeze(entry);
}

const podSchema = resourceSchema.extend({
  spec: z
    .looseObject({
      nodeName: z.string().optional(),
      hostNetwork: z.boolean().optional(),
      serviceAccountName: z.string().optional(),
      containers: z
        .array(
          z.looseObject({
            name: z.string(),
            ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: port, protocol: protocol.optional() })).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  status: z
    .looseObject({
      phase: z.string().optional(),
      podIPs: z.array(z.looseObject({ ip: address })).optional(),
      hostIP: z.string().optional(),
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).optional(),
    })
    .optional(),
});
/** core/v1 Pod, the fields that Isthmus reads. */
export type Pod = z.infer<typeof podSchema>;
export const POD = kind<Pod>({
  group: 'core',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  aliases: ['pod', 'po'],
  namespaced: true,
  schema: podSchema,
});

const serviceSchema = resourceSchema.extend({
  spec: z.looseObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).optional(),
    clusterIP: z.string().optional(),
    clusterIPs: z.array(z.string()).optional(),
    ipFamilies: z.array(z.enum(['IPv4', 'IPv6'])).optional(),
    ipFamilyPolicy: z.enum(['SingleStack', 'PreferDualStack', 'RequireDualStack']).optional(),
    selector: stringMap.optional(),
    sessionAffinity: z.enum(['None', 'ClientIP']).optional(),
    publishNotReadyAddresses: z.boolean().optional(),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          protocol: protocol.optional(),
          port,
          targetPort: z.union([port, z.string()]).optional(),
          nodePort: port.optional(),
        }),
      )
      .optional(),
  }),
});
/** core/v1 Service, the fields that Isthmus reads. */
export type Service = z.infer<typeof serviceSchema>;
export const SERVICE = kind<Service>({
  group: 'core',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  aliases: ['service', 'svc'],
  namespaced: true,
  schema: serviceSchema,
});

const namespaceSchema = resourceSchema;
/** core/v1 Namespace. */
export type Namespace = z.infer<typeof namespaceSchema>;
export const NAMESPACE = kind<Namespace>({
  group: 'core',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  aliases: ['namespace', 'ns'],
  namespaced: false,
  schema: namespaceSchema,
});

const endpointSliceSchema = resourceSchema.extend({
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z
          .looseObject({ ready: z.boolean().optional(), serving: z.boolean().optional(), terminating: z.boolean().optional() })
          .optional(),
        hostname: z.string().optional(),
        nodeName: z.string().optional(),
        zone: z.string().optional(),
        targetRef: z.looseObject({ kind: z.string().optional(), name: z.string().optional() }).optional(),
      }),
    )
    .default([]),
  ports: z
    .array(z.looseObject({ name: z.string().optional(), protocol: protocol.optional(), port: port.optional() }))
    .nullish()
    .transform((ports) => ports ?? []),
});
/** discovery.k8s.io/v1 EndpointSlice. */
export type EndpointSlice = z.infer<typeof endpointSliceSchema>;
export const ENDPOINT_SLICE = kind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  aliases: ['endpointslice', 'eps'],
  namespaced: true,
  schema: endpointSliceSchema as z.ZodType<EndpointSlice>,
});

const ciliumNodeSchema = resourceSchema.extend({
  spec: z.looseObject({
    addresses: z.array(z.looseObject({ type: z.string(), ip: address })).optional(),
    ipam: z.looseObject({ podCIDRs: z.array(cidr).optional() }).optional(),
    bootid: z.string().optional(),
  }),
  status: z.looseObject({}).optional(),
});
/** cilium.io/v2 CiliumNode: what a node says of itself, and the pod CIDRs that the operator gave it. */
export type CiliumNode = z.infer<typeof ciliumNodeSchema>;
export const CILIUM_NODE = kind<CiliumNode>({
  group: 'cilium.io',
  version: 'v2',
  kind: 'CiliumNode',
  plural: 'ciliumnodes',
  aliases: ['ciliumnode', 'cn', 'node', 'nodes'],
  namespaced: false,
  schema: ciliumNodeSchema,
});

const serviceExportSchema = resourceSchema.extend({
  spec: z.looseObject({ exportedLabels: stringMap.optional(), exportedAnnotations: stringMap.optional() }).optional(),
  status: z.looseObject({}).optional(),
});
/** multicluster.x-k8s.io/v1alpha1 ServiceExport. */
export type ServiceExport = z.infer<typeof serviceExportSchema>;
export const SERVICE_EXPORT = kind<ServiceExport>({
  group: 'multicluster.x-k8s.io',
  version: 'v1alpha1',
  kind: 'ServiceExport',
  plural: 'serviceexports',
  aliases: ['serviceexport', 'svcex'],
  namespaced: true,
  schema: serviceExportSchema,
});

/** Every kind that Isthmus knows. */
export const KINDS: readonly ResourceKind[] = [
  POD,
  SERVICE,
  NAMESPACE,
  ENDPOINT_SLICE,
  CILIUM_NODE,
  SERVICE_EXPORT,
] as readonly ResourceKind[];

/** A kind by plural, kind or alias, in any case; undefined when there is none. */
export function findKind(name: string): ResourceKind | undefined {
  const wanted = name.toLowerCase();
  return KINDS.find((each) => each.plural === wanted || each.kind.toLowerCase() === wanted || each.aliases.includes(wanted));
}
