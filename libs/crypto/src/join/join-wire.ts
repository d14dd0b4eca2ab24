import { z } from 'zod';

/** Name of a cluster (reference: clustermesh §2.6). `default` means "no mesh", so it cannot join one. */
export const clusterNameSchema = z
  .string()
  .max(32)
  .regex(/^([a-z0-9][-a-z0-9]*)?[a-z0-9]$/, 'a cluster name has lower-case letters, digits and inner dashes')
  .refine((name) => name !== 'default', 'a cluster in a mesh cannot be named "default"')
  .meta({ description: 'Name of a cluster, unique in the mesh' });

/** Name of a node. Shorter than Kubernetes allows: it goes into the common name of a certificate. */
export const nodeNameSchema = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a node name has lower-case letters, digits, inner dashes and dots')
  .meta({ description: 'Name of a node' });

const pem = (label: string, limit: number) =>
  z
    .string()
    .max(limit)
    .startsWith(`-----BEGIN ${label}-----`)
    .meta({ description: `PEM, ${label.toLowerCase()}` });
const certificate = pem('CERTIFICATE', 16_384);
const request = pem('CERTIFICATE REQUEST', 8_192);
const caBundle = pem('CERTIFICATE', 65_536);
const endpoint = z
  .string()
  .max(300)
  .regex(/^https:\/\/[^\s/?#@]+:[0-9]{1,5}$/, 'an endpoint is https://host:port');
const endpoints = z.array(endpoint).min(1).max(8).meta({ description: 'URLs of an etcd' });
const podCidrs = z.array(z.string().max(64)).max(256).meta({ description: 'Networks that pods of the cluster have addresses from' });
const clusterId = z.int().min(1).max(511).meta({ description: 'Number of a cluster, unique in the mesh' });
const maxConnectedClusters = z.union([z.literal(255), z.literal(511)]).meta({ description: 'Size of the mesh; equal in all its clusters' });
const tunnelProtocol = z
  .string()
  .max(32)
  .exactOptional()
  .meta({ description: 'How nodes encapsulate packets; equal in all clusters that say it' });
const session = z.string().max(64);

/** What a cluster tells another one that it joins. */
export const clusterOfferSchema = z.object({
  name: clusterNameSchema,
  id: clusterId,
  maxConnectedClusters,
  tunnelProtocol,
  podCIDRs: podCidrs,
  caBundle,
  endpoints,
  wireguardTarget: z
    .int()
    .min(1)
    .max(0xffff_ffff)
    .exactOptional()
    .meta({ description: 'Epoch of the keys that the cluster encrypts by; absent: it does not encrypt' }),
  joinEndpoint: endpoint.exactOptional().meta({ description: "The cluster's join API, where its peers renew their certificates" }),
  csr: request,
});

/** Call 1, to the first cluster: `POST /v1/clusters/offers`; the answer is its offer. */
export const offerRequestSchema = z.object({ peer: clusterNameSchema });

/** Calls 2 and 3: `POST /v1/clusters`. With a certificate it is call 3, and the first cluster starts to mirror the second. */
export const joinRequestSchema = z.object({ offer: clusterOfferSchema, certificate: certificate.exactOptional() });

/** Answer to call 2. */
export const acceptedSchema = z.object({ offer: clusterOfferSchema, certificate, session });

/** Answer to call 3. */
export const confirmedSchema = z.object({ certificate });

/** Call 4, to the second cluster: `POST /v1/clusters/<first>/complete`. */
export const completeRequestSchema = z.object({ session, certificate });

/** Answer to call 4, and to `DELETE /v1/clusters/<name>`. */
export const doneSchema = z.object({ name: clusterNameSchema, connected: z.boolean() });

/** A cluster that this one is connected to. */
export const connectedClusterSchema = z.object({ name: clusterNameSchema, id: clusterId, podCIDRs: podCidrs });

/** Every refusal has this body. */
export const refusalSchema = z.object({
  code: z.string().meta({ description: 'Stable; listed in docs/errors.md' }),
  object: z.string().exactOptional().meta({ description: 'What it is about' }),
  message: z.string(),
  action: z.string().meta({ description: 'What to do' }),
  cause: z.string().exactOptional().meta({ description: 'The error underneath' }),
});

/** Answer to `GET /v1/cluster`. */
export const clusterInfoSchema = z.object({
  name: clusterNameSchema,
  id: clusterId,
  maxConnectedClusters,
  tunnelProtocol,
  podCIDRs: podCidrs,
  endpoints,
  caBundle,
  clusters: z.array(connectedClusterSchema),
  problems: z.array(refusalSchema).exactOptional().meta({ description: 'What is wrong with its own side of the mesh' }),
});

/** Records of one kind that are not taken for one reason. */
export const droppedRecordsSchema = z.object({
  kind: z.string(),
  reason: z.string().meta({ description: 'One of a fixed set; docs/wire.md tells them' }),
  count: z.int().meta({ description: 'Since the start of the apiserver; a record that is read again counts again' }),
  last: z.string().meta({ description: 'Name of the last one, as the remote wrote it' }),
  detail: z.string().meta({ description: 'What was wrong with that one; empty where the reason says it' }),
});

/** SHA-256 of a CA's DER form. */
const pin = z.string().regex(/^[0-9a-f]{64}$/, 'a pin is a SHA-256 in hex');

/** `POST /v1/check-ins`: who calls, by its own account, and which CAs it trusts. */
export const checkInRequestSchema = z.object({
  name: z.union([clusterNameSchema, nodeNameSchema]).meta({ description: 'Name of the calling cluster or node' }),
  trusts: z.array(pin).max(16).meta({ description: 'Pins of the CAs that the caller trusts for this cluster' }),
});

/** Answer to `POST /v1/check-ins`: the CAs to trust. The first one signs. */
export const checkInResponseSchema = z.object({ caBundle });

/** `POST /v1/clusters/<name>/renew`. */
export const renewalRequestSchema = z.object({ csr: request });

/** Answer to `POST /v1/clusters/<name>/renew`. */
export const renewalResponseSchema = z.object({ certificate });

/** Answer to `POST /v1/clusters/<name>/revoke`. */
export const revocationSchema = z.object({
  name: clusterNameSchema,
  certificates: z.int().meta({ description: 'Certificates that are refused from now on' }),
  connectionsEnded: z.int().nullable().meta({ description: 'Connections of the mesh etcd that were ended; null: that could not be done' }),
});

const wallTime = z.iso.datetime();

/** A certificate, as status shows it. */
export const certificateStatusSchema = z.object({
  name: z.string().meta({ description: 'Its common name' }),
  use: z.string().meta({ description: 'What it is for' }),
  serial: z.string(),
  issuer: z.string(),
  notBefore: wallTime,
  notAfter: wallTime,
  state: z.string().meta({ description: 'good, late (less than a third of its life is left), expired, revoked, untrusted, future' }),
  problem: refusalSchema.exactOptional(),
});

/** Answer to `GET /v1/certificates`. */
export const certificatesSchema = z.object({
  certificates: z.array(certificateStatusSchema).meta({ description: 'The CAs, the control plane, and what nodes showed last' }),
  refused: z
    .array(z.object({ name: z.string(), problem: refusalSchema, at: wallTime, times: z.int() }))
    .meta({ description: 'Callers whose certificate was refused, by the name that it claims' }),
});

/** Answer to `GET /v1/ca`. */
export const caStatusSchema = z.object({
  cas: z.array(z.object({ name: z.string(), pin, notAfter: wallTime, signs: z.boolean() })),
  waitsFor: z
    .array(z.object({ name: z.string(), why: z.string() }))
    .meta({ description: 'Who would be locked out if the former CA were retired now' }),
  stillTrusted: z.array(z.string()).meta({ description: 'Servers that trust a former CA until they are restarted' }),
});

/** `POST /v1/ca/retire`. */
export const retireRequestSchema = z.object({ force: z.boolean() });

/** How the mirror of one remote cluster does; counts are of records that were taken over. */
export const remoteStatusSchema = z.object({
  name: clusterNameSchema,
  id: clusterId.exactOptional(),
  ready: z.boolean().meta({ description: 'Connected, and everything was listed once' }),
  state: z.string().meta({ description: 'One word, for people' }),
  error: z.string().exactOptional(),
  problem: refusalSchema.exactOptional().meta({ description: 'What is wrong or waited for, with what to do' }),
  config: z
    .looseObject({ id: z.int(), maxConnectedClusters: z.int(), tunnelProtocol: z.string().exactOptional() })
    .exactOptional()
    .meta({ description: 'What the remote says of itself; absent until it was read' }),
  heartbeatAgeSeconds: z.number().exactOptional().meta({ description: 'Since the remote etcd last showed a sign of life' }),
  counts: z.record(z.string(), z.int()).exactOptional().meta({ description: 'Records by kind: nodes, identities, endpoints, services' }),
  synced: z.record(z.string(), z.boolean()).exactOptional().meta({ description: 'By kind: every record is known and current' }),
  certificateThere: certificateStatusSchema.exactOptional().meta({ description: 'What this cluster shows to the remote' }),
  certificateHere: certificateStatusSchema.exactOptional().meta({ description: 'What the remote shows to this cluster' }),
  dropped: z.array(droppedRecordsSchema).exactOptional().meta({ description: 'Records that the remote has and we do not take' }),
});

/** Answer to `GET /v1/clusters`. */
export const remoteStatusListSchema = z.object({ clusters: z.array(remoteStatusSchema) });

/** `POST /v1/tokens`. */
export const tokenRequestSchema = z.object({
  kind: z.enum(['cluster', 'node']),
  subject: z.union([clusterNameSchema, nodeNameSchema]).exactOptional().meta({ description: 'The only one who may use it' }),
  ttlSeconds: z.int().min(1).max(86_400).exactOptional().meta({ description: 'Ten minutes when absent' }),
});

/** Answer to `POST /v1/tokens`. The token is shown this once. */
export const tokenResponseSchema = z.object({ token: z.string(), id: z.string(), expires: z.iso.datetime() });

/** `POST /v1/nodes`. */
export const nodeRequestSchema = z.object({ name: nodeNameSchema, csr: request });

/** Answer to `POST /v1/nodes`: two certificates for the one key, for the two etcds of the cluster. */
export const nodeResponseSchema = z.object({
  certificate: certificate.meta({ description: 'For the cluster etcd: agent-<node>, with the SPIFFE name' }),
  meshCertificate: certificate.meta({ description: 'For the mesh etcd: local-<cluster>' }),
  caBundle,
  clusterEtcd: z.object({ endpoints }),
  meshEtcd: z.object({ endpoints }),
});

/** See {@link clusterOfferSchema}. */
export type ClusterOffer = z.output<typeof clusterOfferSchema>;
/** See {@link offerRequestSchema}. */
export type OfferRequest = z.output<typeof offerRequestSchema>;
/** See {@link joinRequestSchema}. */
export type JoinRequest = z.output<typeof joinRequestSchema>;
/** See {@link acceptedSchema}. */
export type Accepted = z.output<typeof acceptedSchema>;
/** See {@link confirmedSchema}. */
export type Confirmed = z.output<typeof confirmedSchema>;
/** See {@link completeRequestSchema}. */
export type CompleteRequest = z.output<typeof completeRequestSchema>;
/** See {@link doneSchema}. */
export type Done = z.output<typeof doneSchema>;
/** See {@link clusterInfoSchema}. */
export type ClusterInfo = z.output<typeof clusterInfoSchema>;
/** See {@link remoteStatusSchema}. */
export type RemoteStatus = z.output<typeof remoteStatusSchema>;
/** See {@link tokenRequestSchema}. */
export type TokenRequest = z.output<typeof tokenRequestSchema>;
/** See {@link tokenResponseSchema}. */
export type TokenResponse = z.output<typeof tokenResponseSchema>;
/** See {@link nodeRequestSchema}. */
export type NodeRequest = z.output<typeof nodeRequestSchema>;
/** See {@link checkInRequestSchema}. */
export type CheckInRequest = z.output<typeof checkInRequestSchema>;
/** See {@link checkInResponseSchema}. */
export type CheckInResponse = z.output<typeof checkInResponseSchema>;
/** See {@link renewalRequestSchema}. */
export type RenewalRequest = z.output<typeof renewalRequestSchema>;
/** See {@link renewalResponseSchema}. */
export type RenewalResponse = z.output<typeof renewalResponseSchema>;
/** See {@link revocationSchema}. */
export type RevocationDone = z.output<typeof revocationSchema>;
/** See {@link certificateStatusSchema}. */
export type CertificateStatus = z.output<typeof certificateStatusSchema>;
/** See {@link certificatesSchema}. */
export type Certificates = z.output<typeof certificatesSchema>;
/** See {@link caStatusSchema}. */
export type CaStatus = z.output<typeof caStatusSchema>;
/** See {@link retireRequestSchema}. */
export type RetireRequest = z.output<typeof retireRequestSchema>;
/** See {@link nodeResponseSchema}. */
export type NodeResponse = z.output<typeof nodeResponseSchema>;
