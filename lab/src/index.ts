export { STAGES, type Stage } from './bring-up.ts';
export { apiserverId } from './control-plane/apiserver.ts';
export { clusterFiles, controlUrls, ETCD_PORT, JOIN_API_PORT, MESH_ETCD_PORT } from './control-plane/cluster-files.ts';
export { type EtcdAccess, etcdctl } from './control-plane/etcdctl.ts';
export { isthmus } from './control-plane/isthmus-command.ts';
export { clusterProblems, meshStatus } from './control-plane/mesh.ts';
export { applyObjects, podObject } from './control-plane/objects.ts';
export { clock } from './fault/clock.faults.ts';
export { diskFull } from './fault/disk.faults.ts';
export { compact, quota, restore, takeSnapshot, wipe } from './fault/etcd.faults.ts';
export { defineFault, type Fault, together, type Undo, UndoSteps, withFault } from './fault/fault.ts';
export { startAgain, waitForProcess } from './fault/lab-process.ts';
export { blackhole, cut, cutLink, silenceLink, slow } from './fault/network.faults.ts';
export { kill, stop, stutter } from './fault/process.faults.ts';
export { FAULTS, type FaultKind, faultNamed } from './fault/registry.ts';
export * from './lab.errors.ts';
export { DEFAULT_LAB, Lab, type Progress, type UpOptions } from './lab.ts';
export { type Leftover, leftovers } from './leftovers.ts';
export { getJson } from './machine/http-get.ts';
export { type CommandOptions, type CommandResult, runCommand, tryCommand } from './machine/run-command.ts';
export { type WaitOptions, waitUntil } from './machine/wait-until.ts';
export { addNamespace, deleteNamespace } from './network/network.ts';
export { agentId, agentSocket, waitForAgent } from './node/agent.ts';
export { CNI_PLUGIN, type CniAnswer, type CniCommand, callCni } from './pod/attach-pod.ts';
export { extraPod, makeExtraPod, makeExtraPods, removeExtraPod } from './pod/extra-pod.ts';
export type { ProcessRecord } from './process/process-record.ts';
export { startTime } from './process/process-stat.ts';
export { noSteppableClock } from './process/stepped-clock.ts';
export type { ProcessSpec, Supervisor } from './process/supervisor.ts';
export {
  applyBgpObjects,
  applyToCluster,
  bgpObjects,
  peerName,
  RACK_COMMUNITIES,
  RACK_SERVICE,
  secretObject,
} from './rack/bgp-objects.ts';
export { FAMILIES as RACK_FAMILIES, linkSession, type RackFamily, type RackSession } from './rack/rack-session.ts';
export { fetchRoutingDaemons, routingProgram } from './rack/routing-toolchain.ts';
export { routeServerSessions, type TorRoute, type TorSession, torKernelHops, torRoutes, torSession } from './rack/tor-view.ts';
export { FRAME_KINDS, type FrameKind, isForbidden } from './sniff/frame-kind.ts';
export { decodeSniffEvent, type SniffEvent } from './sniff/sniff-event.ts';
export { sniffRules } from './sniff/sniff-rules.ts';
export type { SnifferReport } from './sniff/sniffer.ts';
export { SnifferMaps } from './sniff/sniffer-maps.ts';
export { loadSniffer } from './sniff/sniffer-object.ts';
export { repositoryFile, toolPath } from './toolchain.ts';
export {
  type Addresses,
  type ClusterPlan,
  type ControlPlace,
  type LabPlan,
  linksOf,
  type NodePlace,
  type Place,
  type PodPlace,
  planLab,
} from './topology/plan.ts';
export type { FabricPlan, RackLink, RackPlan, RouterPlace } from './topology/rack-plan.ts';
export { loadTopology, parseTopology, type Topology } from './topology/topology.ts';
export { type Answer, type AskOptions, ask, echoTargets } from './traffic/ask.ts';
export { DEFAULT_PPS, type FlowOptions, type FlowReport, type FlowSpec, Flows, type TrafficReport } from './traffic/flow.ts';
export type { RigReport, Stray } from './traffic/rig-counters.ts';
export { trafficCommand } from './traffic/traffic-program.ts';
export { type Judgement, judgeTraffic, type Verdict } from './traffic/verdict.ts';
export { type AgentStatus, agentStatus, bpfRows, type TableRow, tableRows } from './verify/agent-view.ts';
export { type Check, CheckFailed, type CheckResult, expectThat } from './verify/check.ts';
export { type EncryptionView, encryptionOf, waitForEpoch } from './verify/encryption-view.ts';
export { ALL_PAIRS_PPS, allPairFlows, expectNoLoss, flowSet, type ScopedFlow, trafficWhile } from './verify/flow-set.ts';
export { type DropEvent, Monitor } from './verify/monitor.ts';
export { differences, type NodeState, type NodeStates, readNodeStates, type StateRow, untilAsBefore } from './verify/node-state.ts';
export { allNodes, allPods, podPairs, type Relation } from './verify/pairs.ts';
export { type PingOptions, ping } from './verify/ping.ts';
export { CHECKS } from './verify/registry.ts';
export { type CheckChoice, chooseChecks, runChecks } from './verify/run-checks.ts';
export { RigOverloaded, repeatVoid } from './verify/void-phase.ts';
