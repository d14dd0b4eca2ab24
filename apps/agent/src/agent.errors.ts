import { CodedError, defineError } from '@isthmus/core';

export const AGENT_NOT_READY = defineError(
  'AGENT_NOT_READY',
  'The agent cannot serve pods yet.',
  'Try again: it is waiting for the thing named. `isthmus status` shows for what.',
);
/** AGENT_NOT_READY, naming what the agent waits for. */
export function notReady(waiting: string): CodedError {
  return new CodedError(AGENT_NOT_READY, `the agent waits for ${waiting}`, { object: waiting });
}

export const POD_NOT_FOUND = defineError(
  'POD_NOT_FOUND',
  'CNI was called for a pod that has no Pod resource.',
  'Apply the Pod before calling CNI, and check K8S_POD_NAMESPACE and K8S_POD_NAME in CNI_ARGS.',
);
export const CNI_REQUEST_INVALID = defineError(
  'CNI_REQUEST_INVALID',
  'A CNI call lacks something or has a value that it cannot have.',
  'Correct the named part of the network configuration or of the environment.',
);
export const CNI_FIELD_UNSUPPORTED = defineError(
  'CNI_FIELD_UNSUPPORTED',
  'The CNI configuration asks for something that the plugin does not do.',
  'Take the named part out of the network configuration.',
);
export const ENDPOINT_EXISTS = defineError(
  'ENDPOINT_EXISTS',
  'ADD was called for an interface that the container has already.',
  'DEL it first, as a runtime must after an ADD of whose end it does not know.',
);
export const ENDPOINTS_REMAIN = defineError(
  'ENDPOINTS_REMAIN',
  'GC could not remove everything that the runtime no longer names.',
  'See the reasons in the message; the next GC tries again.',
);
export const ENDPOINT_NOT_FOUND = defineError(
  'ENDPOINT_NOT_FOUND',
  'No endpoint belongs to the container.',
  'ADD the container first; `isthmus endpoint list` shows what there is.',
);
export const ENDPOINT_BROKEN = defineError(
  'ENDPOINT_BROKEN',
  "An endpoint's network is not as it was made.",
  'Delete the pod and make it again.',
);
export const ENDPOINT_NOT_SETTLED = defineError(
  'ENDPOINT_NOT_SETTLED',
  'The kernel did not take over a new endpoint in time.',
  'See what the kernel refuses: a full map must be made larger. `isthmus status` lists every row that fails.',
);

/** What is sent through the tunnel could not be encrypted. */
export const ENCRYPTION_TUNNEL = defineError(
  'ENCRYPTION_TUNNEL',
  'Encryption does not go with the tunnel that is configured, on this kernel.',
  'Set tunnel-protocol to vxlan in all clusters, or use a kernel that has GENEVE devices.',
);
