export { IDENTITY_EXHAUSTED, IdentityAllocator, type IdentityRange } from './identity-allocator.ts';
export type { CreateOutcome, IdentityRegistry } from './identity-registry.ts';
export { declareIpcache, type IpcacheInputs } from './ipcache.ts';
export { type IdentityLabel, labelText, parseLabelText } from './label-text.ts';
export { declareMeshRanges } from './mesh-ranges.ts';
export { declareNativeNodes } from './native-nodes.ts';
export { declarePeers, nodesByAddress, type RoutingMode } from './peers.ts';
export { CLUSTER_LABEL, NAMESPACE_LABEL, type PodFacts, podIdentityLabels } from './pod-labels.ts';
