import type { CodedError } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import type { PodDevice, PodNetwork, PodNetworkState } from './pod-network.ts';

/** Addresses of a pod; empty where the family is off. */
export interface PodAddresses {
  ipv4: string;
  ipv6: string;
}

/** Gives pods their addresses. */
export interface NodeIpam {
  /** @throws CodedError when a pool is exhausted */
  allocate(owner: string): PodAddresses;
  /** Takes over addresses that a restored endpoint has. */
  adopt(owner: string, addresses: PodAddresses): void;
  release(owner: string): void;
  /** Why the next pod would get none; undefined when it would. */
  shortage(): CodedError | undefined;
}

/** What endpoints need of the kernel. */
export interface PodNetworkDriver {
  create(network: PodNetwork): PodDevice;
  remove(interfaceName: string): void;
  find(interfaceName: string): { index: number } | undefined;
  /** What is there of an endpoint's network. @throws CodedError NETNS_MISSING, NETNS_ENTER */
  inspect(row: EndpointRow): PodNetworkState;
  /** Fine while the namespace is there. @throws CodedError NETNS_MISSING, NETNS_ENTER */
  visit(netns: string): void;
}

/** What endpoints need of the node. */
export interface NodeFacts {
  /** The pods' gateway. @throws CodedError AGENT_NOT_READY while it is not known */
  gateway(): PodAddresses;
  readonly podMtu: number;
}

/** Waits until the datapath has what an endpoint's row says. */
export type DatapathBarrier = (row: EndpointRow, revision: number, signal: AbortSignal) => Promise<void>;
