import { z } from 'zod';
import { resourceSchema } from '../resource.ts';
import { conditions, kind, port, protocol, stringMap } from './fields.ts';

const trafficPolicy = z.enum(['Cluster', 'Local']);

const serviceSchema = resourceSchema.extend({
  spec: z.looseObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).optional(),
    /** An address that LB-IPAM is asked for; an address of each family at most, separated by commas, is asked for by annotation. */
    loadBalancerIP: z.string().optional(),
    /** Who serves a LoadBalancer: io.cilium/bgp-control-plane and nothing mean LB-IPAM. */
    loadBalancerClass: z.string().optional(),
    /** Addresses that others route to the nodes. */
    externalIPs: z.array(z.string()).optional(),
    externalTrafficPolicy: trafficPolicy.optional(),
    internalTrafficPolicy: trafficPolicy.optional(),
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
  status: z
    .looseObject({
      loadBalancer: z
        .looseObject({
          ingress: z
            .array(z.looseObject({ ip: z.string().optional(), ipMode: z.string().optional(), hostname: z.string().optional() }))
            .optional(),
        })
        .optional(),
      conditions,
    })
    .optional(),
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
