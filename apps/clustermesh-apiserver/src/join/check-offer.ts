import { CodedError } from '@isthmus/core';
import { bundlesMeet, type ClusterOffer, checkBundle, type Epoch, mayJoinAt } from '@isthmus/crypto';
import { type Cidr, parseCidr } from '@isthmus/net';
import {
  JOIN_ID_RANGE,
  JOIN_ID_TAKEN,
  JOIN_MESH_SIZE,
  JOIN_NAME_TAKEN,
  JOIN_OWN_NAME,
  JOIN_POD_CIDRS_OVERLAP,
  JOIN_REQUEST_INVALID,
  JOIN_TUNNEL_PROTOCOL,
  JOIN_WIREGUARD_TARGET,
} from './join.errors.ts';
import type { LocalClusterFacts, RemoteCluster } from './ports.ts';

type Networked = Pick<RemoteCluster, 'name' | 'podCIDRs'>;

/**
 * Checks that the cluster that makes the offer can join: against this cluster and against every one that is connected already.
 * @throws CodedError JOIN_OWN_NAME, JOIN_NAME_TAKEN, JOIN_ID_TAKEN, JOIN_ID_RANGE, JOIN_MESH_SIZE, JOIN_TUNNEL_PROTOCOL, JOIN_POD_CIDRS_OVERLAP,
 *   JOIN_REQUEST_INVALID, CA_BUNDLE_INVALID, CERTIFICATE_UNREADABLE
 */
export function checkOffer(self: LocalClusterFacts, remotes: readonly RemoteCluster[], offer: ClusterOffer): void {
  checkPeerName(self, offer.name);
  checkMeshSize(self, offer);
  checkTunnel(self, offer);
  checkBundle(offer.caBundle, offer.name);
  const others = remotes.filter((r) => r.name !== offer.name);
  for (const other of [self, ...others]) {
    checkId(other, offer);
    checkNetworks(other, offer);
  }
  const known = remotes.find((r) => r.name === offer.name);
  if (known) checkSameCluster(known, offer);
}

/**
 * Checks that the keys of the two clusters can meet. Each side does so before anything is changed: this is the only place where a cluster may be led further
 * than one epoch.
 * @param own undefined: this cluster does not encrypt
 * @throws CodedError JOIN_WIREGUARD_TARGET
 */
export function checkTarget(own: Epoch | undefined, { name, wireguardTarget }: ClusterOffer): void {
  if (own === undefined || wireguardTarget === undefined || mayJoinAt(own, wireguardTarget)) return;
  throw new CodedError(JOIN_WIREGUARD_TARGET, `${name} is at epoch ${wireguardTarget}, and this cluster at ${own}`, { object: name });
}

/** @throws CodedError JOIN_OWN_NAME */
export function checkPeerName(self: LocalClusterFacts, peer: string): void {
  if (peer !== self.name) return;
  throw new CodedError(JOIN_OWN_NAME, `both clusters are named ${self.name}`, { object: self.name });
}

function checkMeshSize(self: LocalClusterFacts, offer: ClusterOffer): void {
  const object = offer.name;
  if (offer.maxConnectedClusters !== self.maxConnectedClusters) {
    const message = `max-connected-clusters is ${self.maxConnectedClusters} in ${self.name} and ${offer.maxConnectedClusters} in ${offer.name}`;
    throw new CodedError(JOIN_MESH_SIZE, message, { object });
  }
  if (offer.id > self.maxConnectedClusters) {
    throw new CodedError(JOIN_ID_RANGE, `cluster-id ${offer.id} of ${offer.name} is above ${self.maxConnectedClusters}`, { object });
  }
}

/** One that does not say fits for all that we know. */
function checkTunnel(self: LocalClusterFacts, { name, tunnelProtocol }: ClusterOffer): void {
  if (tunnelProtocol === undefined || tunnelProtocol === self.tunnelProtocol) return;
  const message = `tunnel-protocol is ${self.tunnelProtocol} in ${self.name} and ${tunnelProtocol} in ${name}`;
  throw new CodedError(JOIN_TUNNEL_PROTOCOL, message, { object: name });
}

function checkId(other: Pick<RemoteCluster, 'name' | 'id'>, offer: ClusterOffer): void {
  if (other.id !== offer.id) return;
  throw new CodedError(JOIN_ID_TAKEN, `${other.name} and ${offer.name} both have cluster-id ${offer.id}`, { object: offer.name });
}

/** A cluster that is connected already may come again with new addresses, but not with another number or nothing that proves kinship. */
function checkSameCluster(known: RemoteCluster, offer: ClusterOffer): void {
  const object = offer.name;
  if (known.id !== offer.id) {
    throw new CodedError(JOIN_NAME_TAKEN, `${object} is connected with cluster-id ${known.id}; this one has ${offer.id}`, { object });
  }
  if (!bundlesMeet(known.caBundle, offer.caBundle)) {
    throw new CodedError(JOIN_NAME_TAKEN, `${object} is connected under another CA than this one shows`, { object });
  }
}

function checkNetworks(other: Networked, offer: Networked): void {
  const theirs = networks(offer);
  for (const mine of networks(other)) {
    const clash = theirs.find((cidr) => cidr.overlaps(mine));
    if (!clash) continue;
    const message = `pod network ${mine} of ${other.name} overlaps ${clash} of ${offer.name}`;
    throw new CodedError(JOIN_POD_CIDRS_OVERLAP, message, { object: offer.name });
  }
}

function networks(cluster: Networked): Cidr[] {
  return cluster.podCIDRs.map((text) => {
    const cidr = parseCidr(text);
    if (cidr) return cidr;
    throw new CodedError(JOIN_REQUEST_INVALID, `${text} of ${cluster.name} is not a network`, { object: cluster.name });
  });
}
