import * as wire from '@isthmus/crypto';
import { z } from 'zod';

/** One call of the join API, for the document. */
export interface DocumentedCall {
  method: 'get' | 'post' | 'delete';
  path: string;
  summary: string;
  /** Who may call. */
  callers: string;
  body?: z.ZodType;
  answer: z.ZodType;
}

/** Every call of the join API. A test holds this list against the routes. */
export const CALLS: readonly DocumentedCall[] = [
  {
    method: 'get',
    path: '/v1/cluster',
    summary: 'What this cluster is, and whom it is connected to',
    callers: 'admin, nodes, token holders',
    answer: wire.clusterInfoSchema,
  },
  {
    method: 'get',
    path: '/v1/clusters',
    summary: 'How each connected cluster does',
    callers: 'admin',
    answer: wire.remoteStatusListSchema,
  },
  {
    method: 'post',
    path: '/v1/clusters/offers',
    summary: 'Join, call 1 (first cluster): get its offer',
    callers: 'admin, cluster token',
    body: wire.offerRequestSchema,
    answer: wire.clusterOfferSchema,
  },
  {
    method: 'post',
    path: '/v1/clusters',
    summary: 'Join, call 2 (second cluster, without certificate) and call 3 (first cluster, with certificate)',
    callers: 'admin, cluster token',
    body: wire.joinRequestSchema,
    answer: z.union([wire.acceptedSchema, wire.confirmedSchema]),
  },
  {
    method: 'post',
    path: '/v1/clusters/{name}/complete',
    summary: 'Join, call 4 (second cluster): take the first cluster on',
    callers: 'whoever made call 2',
    body: wire.completeRequestSchema,
    answer: wire.doneSchema,
  },
  {
    method: 'delete',
    path: '/v1/clusters/{name}',
    summary: 'Disconnect a cluster on this side',
    callers: 'admin; for five minutes also whoever joined it with a token',
    answer: wire.doneSchema,
  },
  {
    method: 'post',
    path: '/v1/tokens',
    summary: 'Make a one-time token',
    callers: 'admin',
    body: wire.tokenRequestSchema,
    answer: wire.tokenResponseSchema,
  },
  {
    method: 'post',
    path: '/v1/nodes',
    summary: "Have a node's certificates signed",
    callers: 'node token; for renewal the node with its current certificate',
    body: wire.nodeRequestSchema,
    answer: wire.nodeResponseSchema,
  },
  {
    method: 'post',
    path: '/v1/check-ins',
    summary: 'Say which CAs are trusted for this cluster, and hear which should be; the first of them signs',
    callers: 'nodes and remote clusters, with their current certificate',
    body: wire.checkInRequestSchema,
    answer: wire.checkInResponseSchema,
  },
  {
    method: 'post',
    path: '/v1/clusters/{name}/renew',
    summary: "Have a remote cluster's next certificate signed",
    callers: 'that cluster, with its current certificate',
    body: wire.renewalRequestSchema,
    answer: wire.renewalResponseSchema,
  },
  {
    method: 'post',
    path: '/v1/clusters/{name}/revoke',
    summary: "Withdraw a remote cluster's access; what is known of it stays",
    callers: 'admin',
    answer: wire.revocationSchema,
  },
  {
    method: 'get',
    path: '/v1/certificates',
    summary: 'The certificates of this cluster, and whom it refuses',
    callers: 'admin',
    answer: wire.certificatesSchema,
  },
  {
    method: 'get',
    path: '/v1/ca',
    summary: 'Which CAs are trusted, and who still needs the former one',
    callers: 'admin',
    answer: wire.caStatusSchema,
  },
  {
    method: 'post',
    path: '/v1/ca/rotate',
    summary: 'Change the CA, step 1: a new one signs, both are trusted',
    callers: 'admin',
    answer: wire.caStatusSchema,
  },
  {
    method: 'post',
    path: '/v1/ca/retire',
    summary: 'Change the CA, step 2: the former one is trusted no more',
    callers: 'admin',
    body: wire.retireRequestSchema,
    answer: wire.caStatusSchema,
  },
];

/** The OpenAPI 3.1 document of the join API, made from the schemas that the server checks with. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const call of CALLS) {
    paths[call.path] = { ...paths[call.path], [call.method]: operation(call) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Isthmus join API', version: '1', description: 'Connects clusters and gives nodes their certificates.' },
    paths,
    components: {
      securitySchemes: { certificate: { type: 'mutualTLS' }, token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(call: DocumentedCall): object {
  const parameters = call.path.includes('{name}')
    ? { parameters: [{ name: 'name', in: 'path', required: true, schema: schemaOf(wire.clusterNameSchema, 'input') }] }
    : {};
  return {
    summary: call.summary,
    description: `Callers: ${call.callers}.`,
    security: [{ certificate: [] }, { token: [] }],
    ...parameters,
    ...(call.body === undefined ? {} : { requestBody: { required: true, ...json(call.body, 'input') } }),
    responses: {
      200: { description: 'Done', ...json(call.answer, 'output') },
      default: { description: 'Refused', ...json(wire.refusalSchema, 'output') },
    },
  };
}

function json(schema: z.ZodType, io: 'input' | 'output'): object {
  return { content: { 'application/json': { schema: schemaOf(schema, io) } } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
