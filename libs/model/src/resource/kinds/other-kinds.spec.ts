import type { ResourceKind } from '../resource.ts';
import { parseResource } from '../validate.ts';
import { CILIUM_LOAD_BALANCER_IP_POOL, CILIUM_POD_IP_POOL } from './ip-pools.ts';
import { SECRET, secretValue, withoutSecretData } from './secret.ts';
import { SERVICE } from './service.ts';

const refusal = (kind: object, apiVersion: string, rest: object): string => {
  const typed = kind as ResourceKind;
  try {
    parseResource(typed, { apiVersion, kind: typed.kind, metadata: { name: 'x' }, ...rest });
  } catch (error) {
    return (error as Error).message.replace(/^\w+: /, '');
  }
  return 'accepted';
};

describe('CiliumLoadBalancerIPPool', () => {
  const pool = (block: object, rest: object = {}) =>
    refusal(CILIUM_LOAD_BALANCER_IP_POOL, 'cilium.io/v2', { spec: { blocks: [block], ...rest } });

  it('takes networks and ranges of both versions', () => {
    const spec = {
      blocks: [{ cidr: '10.0.0.0/24' }, { cidr: 'fd00::/64' }, { start: '10.1.0.5', stop: '10.1.0.9' }, { start: '10.2.0.1' }],
      serviceSelector: { matchLabels: { pool: 'a' } },
      disabled: false,
      allowFirstLastIPs: 'No',
    };
    expect(refusal(CILIUM_LOAD_BALANCER_IP_POOL, 'cilium.io/v2', { spec })).toBe('accepted');
    expect(refusal(CILIUM_LOAD_BALANCER_IP_POOL, 'cilium.io/v2alpha1', { spec })).toBe('accepted');
  });

  it.each<[object, object, string]>([
    [{ cidr: '10.0.0.0' }, {}, 'spec.blocks.0.cidr: must be an IPv4 or IPv6 network'],
    [{}, {}, 'spec.blocks.0.cidr: one of cidr and start is needed'],
    [{ stop: '10.0.0.1' }, {}, 'spec.blocks.0.cidr: one of cidr and start is needed'],
    [{ cidr: '10.0.0.0/24', start: '10.0.0.1' }, {}, 'spec.blocks.0.start: excludes cidr'],
    [{ cidr: '10.0.0.0/24', stop: '10.0.0.1' }, {}, 'spec.blocks.0.stop: excludes cidr'],
    [{ start: '10.0.0.9', stop: '10.0.0.8' }, {}, 'spec.blocks.0.stop: must not be before start'],
    [{ start: '10.0.0.9', stop: 'fd00::1' }, {}, 'spec.blocks.0.stop: must be of the same family as start'],
    [{ start: '10.0.0.9', stop: 'x' }, {}, 'spec.blocks.0.stop: must be an IPv4 or IPv6 address'],
    [{ start: 'x', stop: '10.0.0.9' }, {}, 'spec.blocks.0.start: must be an IPv4 or IPv6 address'],
    [{ start: '10.0.0.9' }, { allowFirstLastIPs: true }, 'spec.allowFirstLastIPs: '],
    [{ start: '10.0.0.9' }, { disabled: 'no' }, 'spec.disabled: '],
  ])('refuses block %j with %j: %s', (block, rest, message) => {
    expect(pool(block, rest)).toContain(message);
  });
});

describe('CiliumPodIPPool', () => {
  it.each<[object, string]>([
    [{ ipv4: { cidrs: ['10.0.0.0/16'], maskSize: 24 }, ipv6: { cidrs: ['fd00::/48'], maskSize: 64 } }, 'accepted'],
    [{ ipv4: { cidrs: [], maskSize: 24 } }, 'spec.ipv4.cidrs: '],
    [{ ipv4: { cidrs: ['fd00::/48'], maskSize: 24 } }, 'spec.ipv4.cidrs.0: must be an IPv4 network'],
    [{ ipv4: { cidrs: ['x'], maskSize: 24 } }, 'spec.ipv4.cidrs.0: must be an IPv4 or IPv6 network'],
    [{ ipv4: { cidrs: ['10.0.0.0/16'] } }, 'spec.ipv4.maskSize: '],
    [{ ipv4: { cidrs: ['10.0.0.0/16'], maskSize: 33 } }, 'spec.ipv4.maskSize: '],
    [{ ipv4: { cidrs: ['10.0.0.0/8', '10.1.0.0/25'], maskSize: 24 } }, "spec.ipv4.cidrs.1: is smaller than a node's share, /24"],
    [{ ipv6: { cidrs: ['fd00::/48'], maskSize: 129 } }, 'spec.ipv6.maskSize: '],
  ])('%j: %s', (spec, message) => {
    expect(refusal(CILIUM_POD_IP_POOL, 'cilium.io/v2alpha1', { spec })).toContain(message);
  });
});

describe('Service', () => {
  it('takes what load balancers and announcements need', () => {
    const spec = {
      type: 'LoadBalancer',
      loadBalancerIP: '10.0.0.1',
      loadBalancerClass: 'io.cilium/bgp-control-plane',
      externalIPs: ['192.0.2.7'],
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Cluster',
    };
    const status = { loadBalancer: { ingress: [{ ip: '10.0.0.1', ipMode: 'VIP' }] } };
    expect(refusal(SERVICE, 'v1', { spec, status })).toBe('accepted');
    expect(refusal(SERVICE, 'v1', { spec: { externalTrafficPolicy: 'Global' } })).toContain('spec.externalTrafficPolicy: ');
    expect(refusal(SERVICE, 'v1', { spec: { internalTrafficPolicy: 'Global' } })).toContain('spec.internalTrafficPolicy: ');
  });
});

describe('Secret', () => {
  const base = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tor', namespace: 'kube-system' } };
  const secret = (rest: object) => parseResource(SECRET, { ...base, ...rest });

  it('keeps text as data, which it wins over', () => {
    const parsed = secret({ data: { password: 'b2xk', other: 'YQ==' }, stringData: { password: 'hunter2' } });
    expect(parsed).toEqual({ ...base, data: { password: 'aHVudGVyMg==', other: 'YQ==' } });
    expect([secretValue(parsed, 'password')?.toString(), secretValue(parsed, 'none'), secretValue(parsed, 'toString')]).toEqual([
      'hunter2',
      undefined,
      undefined,
    ]);
    expect(secretValue(secret({}), 'password')).toBeUndefined();
  });

  it('refuses what is no base64, and does not repeat it', () => {
    expect(refusal(SECRET, 'v1', { data: { password: 'hunter2!' } })).toMatch(/^data\.password: (?!.*hunter2)/);
    expect(refusal(SECRET, 'v1', { stringData: { password: { hunter2: 1 } } })).toMatch(/^stringData\.password: (?!.*hunter2)/);
  });

  it('is shown without values, whoever wrote them', () => {
    const annotations = { team: 'net', 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}' };
    const object = { ...base, metadata: { ...base.metadata, annotations }, type: 'Opaque', data: { password: 'aHVudGVyMg==', a: 'YQ==' } };
    const shown = withoutSecretData({ ...object, stringData: { password: 'hunter2' } });
    expect(shown).toEqual({
      ...base,
      metadata: { ...base.metadata, annotations: { team: 'net' } },
      type: 'Opaque',
      data: { password: '(7 bytes, not shown)', a: '(1 byte, not shown)' },
    });
    expect(object.data.password).toBe('aHVudGVyMg==');
  });
});
