import { CodedError } from '@isthmus/core';
import { z } from 'zod';
import { CNI_REQUEST_INVALID } from '../agent.errors.ts';

/** Versions of the CNI specification that are spoken. */
export const CNI_VERSIONS = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

/** Key of the attachments that GC leaves alone (CNI specification §2, "GC"). */
export const VALID_ATTACHMENTS = 'cni.dev/valid-attachments';

const attachment = z.looseObject({ containerID: z.string(), ifname: z.string() });

const netConf = z.looseObject({
  cniVersion: z.enum(CNI_VERSIONS),
  name: z.string().min(1),
  type: z.string().min(1),
  prevResult: z.looseObject({}).optional(),
  [VALID_ATTACHMENTS]: z.array(attachment).optional(),
});

const requestSchema = z.object({
  command: z.enum(['ADD', 'DEL', 'CHECK', 'GC', 'STATUS']),
  containerId: z.string(),
  netns: z.string(),
  ifname: z.string(),
  args: z.string(),
  path: z.string(),
  config: netConf,
});

/** A CNI call as the shim hands it over: the runtime's environment and the network configuration. */
export type CniRequest = z.infer<typeof requestSchema>;

const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const INTERFACE_NAME = /^[^\s/:]{1,15}$/;
/** Names of Kubernetes objects. They become part of a key, so nothing else may get in. */
const NAMESPACE_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const POD_NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
/** The version that brought each command that not all versions have. */
const SINCE: Partial<Record<CniRequest['command'], CniRequest['config']['cniVersion']>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' };

/** The version to answer in: the caller's where it is spoken, also when the rest of the request is not valid. */
export function versionOf(body: unknown): (typeof CNI_VERSIONS)[number] {
  const asked = (body as { config?: { cniVersion?: unknown } } | null | undefined)?.config?.cniVersion;
  return CNI_VERSIONS.find((version) => version === asked) ?? '1.1.0';
}

/** @throws CodedError CNI_REQUEST_INVALID naming the part that is wrong */
export function parseCniRequest(body: unknown): CniRequest {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(issue?.path.join('.') ?? 'request', issue?.message ?? 'not valid');
  }
  const request = parsed.data;
  const since = SINCE[request.command] ?? '0.3.1';
  if (request.config.cniVersion < since) throw invalid('config.cniVersion', `${request.command} exists since ${since}`);
  // Taken for an empty list, a missing one would remove every pod's network.
  if (request.command === 'GC' && !request.config[VALID_ATTACHMENTS])
    throw invalid(VALID_ATTACHMENTS, 'GC needs the attachments that stay');
  if (request.command === 'GC' || request.command === 'STATUS') return request;
  if (!CONTAINER_ID.test(request.containerId))
    throw invalid('CNI_CONTAINERID', `${JSON.stringify(request.containerId)} is not a container id`);
  if (!INTERFACE_NAME.test(request.ifname) || request.ifname === '.' || request.ifname === '..')
    throw invalid('CNI_IFNAME', `${JSON.stringify(request.ifname)} is not an interface name`);
  if (request.command !== 'DEL' && !request.netns.startsWith('/')) throw invalid('CNI_NETNS', 'the path of a network namespace is needed');
  return request;
}

/** `KEY=value;KEY=value` of CNI_ARGS. */
export function parseCniArgs(args: string): ReadonlyMap<string, string> {
  const pairs = args.split(';').flatMap((part) => {
    const equals = part.indexOf('=');
    return equals > 0 ? [[part.slice(0, equals), part.slice(equals + 1)] as const] : [];
  });
  return new Map(pairs);
}

/** The pod that a call is about. @throws CodedError CNI_REQUEST_INVALID when CNI_ARGS do not name it */
export function podOf(request: CniRequest): { namespace: string; pod: string; podUid: string } {
  const args = parseCniArgs(request.args);
  const namespace = args.get('K8S_POD_NAMESPACE');
  const pod = args.get('K8S_POD_NAME');
  if (!namespace || !pod) throw invalid('CNI_ARGS', 'K8S_POD_NAMESPACE and K8S_POD_NAME are needed');
  if (!NAMESPACE_NAME.test(namespace)) throw invalid('CNI_ARGS', `${JSON.stringify(namespace)} is not the name of a namespace`);
  if (!POD_NAME.test(pod)) throw invalid('CNI_ARGS', `${JSON.stringify(pod)} is not the name of a pod`);
  return { namespace, pod, podUid: args.get('K8S_POD_UID') ?? '' };
}

function invalid(part: string, why: string): CodedError {
  return new CodedError(CNI_REQUEST_INVALID, `${part}: ${why}`, { object: part });
}
