import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { clusterPki } from '@isthmus/crypto';
import { startApiserver, waitForApiserver } from './control-plane/apiserver.ts';
import { clusterFiles } from './control-plane/cluster-files.ts';
import { etcdsOf, startEtcd, waitForEtcd } from './control-plane/etcd.ts';
import { writeContext } from './control-plane/isthmus-command.ts';
import { connectAll } from './control-plane/mesh.ts';
import { applyObjects } from './control-plane/objects.ts';
import { startOperator } from './control-plane/operator.ts';
import { createCgroup } from './machine/cgroup.ts';
import { mountBpf, mountStateDisk } from './machine/lab-mounts.ts';
import { createNetwork } from './network/network.ts';
import { agentStateDir, enrolNode, startAgent, startBfd, waitForAgent } from './node/agent.ts';
import { fetchWireGuard } from './node/wireguard-toolchain.ts';
import { attachPod } from './pod/attach-pod.ts';
import type { Supervisor } from './process/supervisor.ts';
import { applyBgpObjects } from './rack/bgp-objects.ts';
import { routersOf, startRouters, waitForRouters } from './rack/router-daemons.ts';
import { fetchRoutingDaemons } from './rack/routing-toolchain.ts';
import { startSniffers } from './sniff/sniffer-process.ts';
import { allPlaces, type ClusterPlan, type LabPlan } from './topology/plan.ts';
import type { FabricPlan } from './topology/rack-plan.ts';
import { startEcho } from './traffic/echo-server.ts';

/** The steps that bring a lab up, in order. */
export const STAGES = ['machine', 'etcd', 'control', 'nodes', 'pods', 'mesh'] as const;
/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** A lab that is being built. */
export interface Building {
  readonly plan: LabPlan;
  readonly processes: Supervisor;
  readonly progress: (line: string) => void;
  readonly through: Stage | undefined;
}

const STEPS: Readonly<Record<Stage, (building: Building) => Promise<void>>> = {
  machine: buildMachine,
  etcd: startEtcds,
  control: startControlPlanes,
  nodes: startNodes,
  pods: attachPods,
  mesh: connectClusters,
};

/** Builds a lab from nothing, stage by stage. */
export async function bringUp(building: Building): Promise<void> {
  for (const stage of STAGES) {
    await STEPS[stage](building);
    if (stage === building.through) return;
  }
}

async function buildMachine({ plan, processes, progress }: Building): Promise<void> {
  const nodes = plan.clusters.flatMap((cluster) => cluster.nodes);
  const { fabric } = plan;
  if (fabric) await fetchRoutingDaemons();
  await fetchWireGuard(plan);
  const between = fabric ? `${fabric.racks.length} racks, a route server` : 'a router';
  progress(`network: ${plan.clusters.length} clusters, ${nodes.length} nodes, ${between}`);
  for (const place of allPlaces(plan)) createCgroup(place.cgroup);
  await createNetwork(plan);
  await mountBpf(plan.paths.bpf);
  const sniffed = await startSniffers(plan, processes);
  if (sniffed > 0) progress(`sniffers: look at ${sniffed} cables`);
  for (const node of nodes) {
    for (const folder of [node.bpf, join(node.run, '.sys'), join(node.run, 'netns')]) mkdirSync(folder, { recursive: true });
    await mountStateDisk(agentStateDir(node));
  }
  if (fabric) await startFabric(fabric, processes, progress);
}

async function startFabric(fabric: FabricPlan, processes: Supervisor, progress: Building['progress']): Promise<void> {
  startRouters(processes, fabric);
  await waitForRouters(processes, fabric);
  progress(
    `routers: ${routersOf(fabric)
      .map(({ id, daemon, asn }) => `${id} (${daemon}, AS ${asn})`)
      .join(', ')} answer`,
  );
}

async function startEtcds({ plan, processes, progress }: Building): Promise<void> {
  await Promise.all(plan.clusters.map((cluster) => startEtcdsOf(cluster, processes, progress)));
}

async function startEtcdsOf(cluster: ClusterPlan, processes: Supervisor, progress: Building['progress']): Promise<void> {
  const files = clusterFiles(cluster);
  const { ipv4, ipv6 } = cluster.control.addresses;
  mkdirSync(cluster.control.data, { recursive: true, mode: 0o700 });
  const lifetime = cluster.topology.config['certificate-lifetime'];
  const validity = lifetime === undefined ? {} : { validityMs: Number(lifetime) * 1000 };
  await clusterPki(files.pkiDir, { cluster: cluster.name, controlPlaneIps: [ipv4, ipv6], ...validity });
  const etcds = etcdsOf(files);
  for (const etcd of etcds) startEtcd(processes, cluster, files, etcd);
  for (const etcd of etcds) await waitForEtcd(processes, cluster, files, etcd);
  progress(`${cluster.name}: cluster etcd and mesh etcd answer`);
}

async function startControlPlanes({ plan, processes, progress }: Building): Promise<void> {
  // One context file for all: written one after another.
  for (const cluster of plan.clusters) await writeContext(plan, cluster);
  for (const cluster of plan.clusters) {
    startApiserver(processes, cluster);
    startOperator(processes, cluster);
  }
  for (const cluster of plan.clusters) {
    await waitForApiserver(processes, cluster);
    progress(`${cluster.name}: apiserver is ready`);
  }
}

async function startNodes(building: Building): Promise<void> {
  await Promise.all(building.plan.clusters.map((cluster) => startNodesOf(cluster, building)));
}

async function startNodesOf(cluster: ClusterPlan, { plan, processes, progress }: Building): Promise<void> {
  for (const node of cluster.nodes) {
    await enrolNode(plan, cluster, node);
    if (cluster.rack) startBfd(processes, cluster, node);
    startAgent(processes, cluster, node);
  }
  for (const node of cluster.nodes) {
    await waitForAgent(processes, node);
    progress(`${node.id}: agent is ready`);
  }
}

async function attachPods(building: Building): Promise<void> {
  await Promise.all(building.plan.clusters.map((cluster) => attachPodsOf(cluster, building)));
}

async function attachPodsOf(cluster: ClusterPlan, { plan, processes, progress }: Building): Promise<void> {
  const pods = cluster.nodes.flatMap((node) => node.pods);
  await applyObjects(plan, cluster, pods, plan.manifests);
  for (const place of [...cluster.nodes, ...pods]) startEcho(processes, place);
  await Promise.all(
    cluster.nodes.map(async (node) => {
      for (const pod of node.pods) await attachPod(plan, node, pod);
    }),
  );
  progress(`${cluster.name}: ${pods.length} pods are attached`);
  if (cluster.rack) await configureBgp(plan, cluster, progress);
}

async function configureBgp(plan: LabPlan, cluster: ClusterPlan, progress: Building['progress']): Promise<void> {
  await applyBgpObjects(plan, cluster);
  progress(`${cluster.name}: BGP is configured`);
}

async function connectClusters({ plan, progress }: Building): Promise<void> {
  if (plan.clusters.length < 2) return;
  await connectAll(plan);
  progress(`mesh: ${plan.clusters.map((cluster) => cluster.name).join(', ')} are connected, each is ready for the others`);
}
