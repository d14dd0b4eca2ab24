/** Namespace annotation that says whether identities, addresses, services and exports of the namespace are published. */
export const GLOBAL_NAMESPACE_ANNOTATION = 'clustermesh.cilium.io/global';

/**
 * Whether a namespace's records are published. The annotation decides where it is set (anything but `true` means no), the cluster's
 * default (`clustermesh-default-global-namespace`) where it is not; a namespace that does not exist publishes nothing.
 */
export function isGlobalNamespace(annotations: Readonly<Record<string, string>> | undefined, byDefault: boolean): boolean {
  if (annotations === undefined) return false;
  if (!Object.hasOwn(annotations, GLOBAL_NAMESPACE_ANNOTATION)) return byDefault;
  return annotations[GLOBAL_NAMESPACE_ANNOTATION]!.toLowerCase() === 'true';
}
