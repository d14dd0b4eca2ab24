import { BGP_LOAD_BALANCER_CLASS, type Service } from '@isthmus/model';
import { canonicalIp } from '@isthmus/net';

/** Condition of a service that tells whether it has the addresses that it wants; one that has it is in our care. */
export const REQUEST_SATISFIED = 'cilium.io/IPAMRequestSatisfied';

/** Annotations that ask for addresses, separated by commas; the second is the older name. */
const WANTED_IPS = ['lbipam.cilium.io/ips', 'io.cilium/lb-ipam-ips'];

/** What a service wants of LB-IPAM, and has. */
export interface LoadBalancerWish {
  /** It is of type LoadBalancer, and of no class or ours. */
  readonly wanted: boolean;
  /** We have been at work on it before. */
  readonly told: boolean;
  /** Addresses that its status names, canonical text. */
  readonly ips: readonly string[];
  /** Addresses that it asks for, as written, canonical where they are addresses; empty: any. */
  readonly asked: readonly string[];
  /** It will not do with one family. */
  readonly dualStack: boolean;
}

/** The wish of a service; undefined for one that is none of our business. */
export function loadBalancerWish({ metadata, spec, status }: Service): LoadBalancerWish | undefined {
  const { loadBalancerClass } = spec;
  const wanted = spec.type === 'LoadBalancer' && (loadBalancerClass === undefined || loadBalancerClass === BGP_LOAD_BALANCER_CLASS);
  const told = status?.conditions?.some(({ type }) => type === REQUEST_SATISFIED) ?? false;
  if (!wanted && !told) return undefined;
  const annotated = WANTED_IPS.map((name) => metadata.annotations?.[name]).find((value) => value !== undefined);
  const asked = (annotated ?? spec.loadBalancerIP ?? '').split(',').map((part) => part.trim());
  return {
    wanted,
    told,
    ips: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : (canonicalIp(ip) ?? []))),
    asked: [...new Set(asked.filter((part) => part !== '').map((part) => canonicalIp(part) ?? part))],
    dualStack: spec.ipFamilyPolicy === 'RequireDualStack',
  };
}
