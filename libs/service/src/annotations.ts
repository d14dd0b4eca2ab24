import { CodedError, defineError } from '@isthmus/core';
import type { ServiceAffinity } from '@isthmus/model';

export const SERVICE_ANNOTATION_INVALID = defineError(
  'SERVICE_ANNOTATION_INVALID',
  'An annotation of a service has a value that it cannot have; the default is used.',
  'Correct the annotation: true or false, or for the affinity local, remote or none.',
);

/** An annotation and the older name that counts where the newer one is absent. */
interface Annotation {
  readonly name: string;
  readonly alias: string;
}

/** What a service's annotations say about the mesh. Keys and defaults are Cilium's. */
export interface MeshAnnotations {
  /** Backends of all clusters serve it. False unless said. */
  readonly global: boolean;
  /** Its backends serve other clusters. True for a global service unless said, always false for any other. */
  readonly shared: boolean;
  readonly affinity: ServiceAffinity;
  /** Values that were not understood. */
  readonly warnings: readonly CodedError[];
}

const GLOBAL: Annotation = { name: 'service.cilium.io/global', alias: 'io.cilium/global-service' };
const SHARED: Annotation = { name: 'service.cilium.io/shared', alias: 'io.cilium/shared-service' };
const AFFINITY: Annotation = { name: 'service.cilium.io/affinity', alias: 'io.cilium/service-affinity' };

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
const AFFINITIES: ReadonlyMap<string, ServiceAffinity> = new Map([
  ['none', 'none'],
  ['', 'none'],
  ['local', 'local'],
  ['remote', 'remote'],
]);

/** Reads the annotations of the service `object` (`<namespace>/<name>`). Never throws. */
export function readMeshAnnotations(object: string, annotations: Readonly<Record<string, string>> = {}): MeshAnnotations {
  const warnings: CodedError[] = [];
  const read = <T>(annotation: Annotation, values: ReadonlyMap<string, T>, fallback: T): T => {
    const name = Object.hasOwn(annotations, annotation.name) ? annotation.name : annotation.alias;
    if (!Object.hasOwn(annotations, name)) return fallback;
    const text = annotations[name] ?? '';
    const value = values.get(text.toLowerCase());
    if (value === undefined) warnings.push(invalid(object, name, text, String(fallback)));
    return value ?? fallback;
  };
  const global = read(GLOBAL, FLAGS, false);
  const shared = read(SHARED, FLAGS, true);
  return { global, shared: global && shared, affinity: read(AFFINITY, AFFINITIES, 'none'), warnings };
}

function invalid(object: string, name: string, text: string, fallback: string): CodedError {
  return new CodedError(
    SERVICE_ANNOTATION_INVALID,
    `service ${object}: annotation ${name} is ${JSON.stringify(text)}; ${fallback} is used`,
    {
      object,
    },
  );
}
