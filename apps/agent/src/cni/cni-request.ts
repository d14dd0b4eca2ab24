import { CodedError } from '@isthmus/core';
import { z } from 'zod';
import { CNI_FIELD_UNSUPPORTED } from '../agent.errors.ts';
import { CNI_CODE } from './cni-code.ts';
import { CniRequestInvalid } from './cni-request-invalid.ts';

/** Versions of the CNI specification that are spoken. */
export const CNI_VERSIONS = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

/** Key of the attachments that GC leaves alone (CNI specification §2, "GC"). */
export const VALID_ATTACHMENTS = 'cni.dev/valid-attachments';

/** Container ids and names of networks (CNI specification §1 and §2, "Parameters"). */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const INTERFACE_NAME = /^[^\s/:]{1,15}$/;
/** Names of Kubernetes objects. They become part of a key, so nothing else may get in. */
const NAMESPACE_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const POD_NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

const attachment = z.looseObject({ containerID: z.string(), ifname: z.string() });

const netConf = z.looseObject({
  // A configuration without a version is of the first one, from before there were versions.
  cniVersion: z.string().default('0.1.0').pipe(z.enum(CNI_VERSIONS)),
  name: z.string().regex(ID, 'not a name of a network'),
  type: z.string().min(1),
  prevResult: z.looseObject({}).nullish(),
  // An empty list is null where a runtime written in Go has none.
  [VALID_ATTACHMENTS]: z.array(attachment).nullable().optional(),
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

/** The environment variable that each part of a call is made from. */
const VARIABLES: Readonly<Record<string, string>> = {
  command: 'CNI_COMMAND',
  containerId: 'CNI_CONTAINERID',
  netns: 'CNI_NETNS',
  ifname: 'CNI_IFNAME',
  args: 'CNI_ARGS',
  path: 'CNI_PATH',
};
/** The version that brought each command that not all versions have. */
const SINCE: Partial<Record<CniRequest['command'], CniRequest['config']['cniVersion']>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' };

/** The version to answer in: the caller's where it is spoken, also when the rest of the request is not valid. */
export function versionOf(body: unknown): (typeof CNI_VERSIONS)[number] {
  const asked = (body as { config?: { cniVersion?: unknown } } | null | undefined)?.config?.cniVersion;
  return CNI_VERSIONS.find((version) => version === asked) ?? '1.1.0';
}

/** @throws CodedError CNI_REQUEST_INVALID naming the part that is wrong, CNI_FIELD_UNSUPPORTED */
export function parseCniRequest(body: unknown): CniRequest {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) throw shapeError(parsed.error.issues[0]);
  const request = parsed.data;
  const since = SINCE[request.command] ?? '0.3.1';
  if (request.config.cniVersion < since)
    throw new CniRequestInvalid('config.cniVersion', `${request.command} exists since ${since}`, CNI_CODE.incompatibleVersion);
  // Taken for an empty list, a missing one would remove every pod's network.
  if (request.command === 'GC' && request.config[VALID_ATTACHMENTS] === undefined)
    throw new CniRequestInvalid(VALID_ATTACHMENTS, 'GC needs the attachments that stay', CNI_CODE.invalidConfig);
  if (request.command !== 'GC' && request.command !== 'STATUS') checkAttachment(request);
  if (request.command === 'ADD') checkAdd(request);
  if (request.command === 'CHECK' && !request.config.prevResult)
    throw new CniRequestInvalid('config.prevResult', 'CHECK needs the result of the ADD', CNI_CODE.invalidConfig);
  return request;
}

function checkAttachment({ command, containerId, ifname, netns }: CniRequest): void {
  if (!ID.test(containerId)) throw wrongVariable('CNI_CONTAINERID', `${JSON.stringify(containerId)} is not a container id`);
  if (!INTERFACE_NAME.test(ifname) || ifname === '.' || ifname === '..')
    throw wrongVariable('CNI_IFNAME', `${JSON.stringify(ifname)} is not an interface name`);
  if (command !== 'DEL' && !netns.startsWith('/')) throw wrongVariable('CNI_NETNS', 'the path of a network namespace is needed');
}

/** What must not keep a DEL from doing its work. */
function checkAdd({ ifname, config }: CniRequest): void {
  if (ifname.includes('%')) throw wrongVariable('CNI_IFNAME', `${JSON.stringify(ifname)} is a pattern of names to the kernel`);
  const ipam = config['ipam'];
  if (typeof ipam === 'object' && ipam !== null && 'type' in ipam)
    throw new CodedError(CNI_FIELD_UNSUPPORTED, `ipam: ${JSON.stringify(ipam)} is not supported: addresses come from the agent`, {
      object: 'config.ipam',
    });
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
  if (!namespace || !pod) throw wrongVariable('CNI_ARGS', 'K8S_POD_NAMESPACE and K8S_POD_NAME are needed');
  if (!NAMESPACE_NAME.test(namespace)) throw wrongVariable('CNI_ARGS', `${JSON.stringify(namespace)} is not the name of a namespace`);
  if (!POD_NAME.test(pod)) throw wrongVariable('CNI_ARGS', `${JSON.stringify(pod)} is not the name of a pod`);
  return { namespace, pod, podUid: args.get('K8S_POD_UID') ?? '' };
}

function wrongVariable(name: string, why: string): CniRequestInvalid {
  return new CniRequestInvalid(name, why, CNI_CODE.invalidEnvironment);
}

/** What is wrong with the shape of a call: with a variable, with the version, with the rest of the configuration, or with the whole. */
function shapeError(issue: z.core.$ZodIssue | undefined): CniRequestInvalid {
  const path = issue?.path.map(String) ?? [];
  const why = issue?.message ?? 'not valid';
  const variable = VARIABLES[path[0] ?? ''];
  if (variable) return wrongVariable(variable, why);
  const part = path.join('.') || 'request';
  if (path.length < 2) return new CniRequestInvalid(part, why, CNI_CODE.undecodable);
  if (part !== 'config.cniVersion') return new CniRequestInvalid(part, why, CNI_CODE.invalidConfig);
  return new CniRequestInvalid(part, why, issue?.code === 'invalid_type' ? CNI_CODE.undecodable : CNI_CODE.incompatibleVersion);
}
