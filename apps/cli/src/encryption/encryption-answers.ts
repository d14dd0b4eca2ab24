import { z } from 'zod';
import { checkedAnswer } from '../agent/agent-answers.ts';
import type { AgentApi } from '../agent/agent-api.ts';

const PATH = '/v1/encryption';

const epoch = z.number().nullable();

const deviceSchema = z.object({
  name: z.string(),
  /** Of which epochs it has the keys. */
  device: z.enum(['even', 'odd']),
  port: z.number(),
  epoch,
  /** First 8 bytes of the public key's SHA-256, in hex. */
  fingerprint: z.string(),
});

const peerSchema = z.object({
  /** `<cluster>/<node>` */
  name: z.string(),
  /** By which device packets go to it. */
  tx: z.enum(['even', 'odd', 'closed']),
  epoch,
  handshakeAgeSeconds: z.number().nullable(),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  /** With a secret that a quantum computer does not find, either. */
  pq: z.boolean(),
  /** Why no such secret could be agreed on. */
  pqProblem: z.string().optional(),
  state: z.enum(['encrypted', 'closed', 'preshared-key', 'handshake', 'no-keys', 'excluded']),
});
/** How a node reaches another one. */
export type EncryptionPeer = z.output<typeof peerSchema>;

const pastKeySchema = z.object({
  epoch: z.number(),
  /** See `devices`. */
  fingerprint: z.string(),
  /** RFC 3339. */
  madeAt: z.string(),
  /** Null while it is there. */
  goneAt: z.string().nullable(),
});
/** A key that a node has or had. */
export type PastKey = z.output<typeof pastKeySchema>;

const meshSchema = z.object({
  /** 0: there is none yet. */
  target: z.number(),
  /** RFC 3339; empty when there is none yet. */
  targetSince: z.string(),
  /** That have keys. */
  nodes: z.number(),
  atTarget: z.number(),
  /** Nodes that are not at the target. */
  laggards: z.array(z.string()),
  /** Nodes that have no keys at all. */
  withoutKeys: z.array(z.string()),
  /** Nodes that know of no epochs, for which keys stay as they are. */
  blockedBy: z.array(z.string()),
  clusters: z.array(z.object({ cluster: z.string(), target: z.number(), startedAt: z.string(), by: z.string(), reason: z.string() })),
});
/** Where the mesh is with its keys, as a node sees it. */
export type EncryptionMesh = z.output<typeof meshSchema>;

/** Answer to `GET /v1/encryption`. Closed forms: what is not in them, such as a key that an agent should not have given, is never shown. */
const encryptionSchema = z.object({
  enabled: z.boolean(),
  /** `<cluster>/<node>` */
  node: z.string(),
  strict: z.boolean(),
  /** The nodes' own packets, too. */
  encryptNode: z.boolean(),
  /** Whether such secrets are agreed on. */
  pq: z.enum(['off', 'preferred', 'required']),
  implementation: z.enum(['kernel', 'wireguard-go', '']),
  problem: z.string().optional(),
  /** What nodes send each other as it is in any case. */
  exempt: z.array(z.object({ protocol: z.string(), ports: z.array(z.number()), what: z.string() })),
  devices: z.array(deviceSchema),
  /** That the node has and had, the newest first. */
  keys: z.array(pastKeySchema).default([]),
  peers: z.array(peerSchema),
  mesh: meshSchema,
});
/** See {@link encryptionSchema}. */
export type Encryption = z.output<typeof encryptionSchema>;

/** How the node encrypts. */
export async function encryptionOf(agent: AgentApi): Promise<Encryption> {
  return checkedAnswer(PATH, await agent.get(PATH), encryptionSchema);
}
