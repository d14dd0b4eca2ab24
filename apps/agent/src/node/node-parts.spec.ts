import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@isthmus/core';
import { StateFolder } from '../state/state-folder.ts';
import { PodCidrIpam } from './node-ipam.ts';
import { NodeStateFile } from './node-state.ts';
import { PodCidrs } from './pod-cidrs.ts';

describe('PodCidrs', () => {
  it('waits until they are known', () => {
    const cidrs = new PodCidrs(1450);
    expect(cidrs.known).toBe(false);
    expect(() => cidrs.gateway()).toThrow(expect.objectContaining({ code: 'AGENT_NOT_READY' }));
  });

  it('are known when every family has one: pods never get half of their addresses', () => {
    const cidrs = new PodCidrs(1450, [4, 6]);
    cidrs.set(['fd00:1::/120']);
    expect(cidrs.known).toBe(false);
    cidrs.set(['fd00:1::/120', '10.1.2.0/24']);
    expect(cidrs.known).toBe(true);
  });

  it('has the first address of each family as gateway, for as long as the agent runs', () => {
    const cidrs = new PodCidrs(1450);
    cidrs.set(['10.1.2.0/24', 'fd00:1::/120', '10.9.0.0/24']);
    expect(cidrs.gateway()).toEqual({ ipv4: '10.1.2.1', ipv6: 'fd00:1::1' });
    cidrs.set(['10.9.0.0/24']);
    expect(cidrs.gateway()).toEqual({ ipv4: '10.1.2.1', ipv6: 'fd00:1::1' });
    const one = new PodCidrs(1450);
    one.set(['fd00:1::/120']);
    expect(one.gateway()).toEqual({ ipv4: '', ipv6: 'fd00:1::1' });
  });
});

describe('PodCidrIpam', () => {
  const ipam = (cidrs: string[], reuseMs = 0) => {
    const clock = new ManualClock();
    const made = new PodCidrIpam(clock, reuseMs);
    made.setCidrs(cidrs);
    return { clock, ipam: made };
  };

  it('gives one address of each family there is', () => {
    expect(ipam(['10.1.0.0/24', 'fd00:1::/120']).ipam.allocate('a')).toEqual({ ipv4: '10.1.0.2', ipv6: 'fd00:1::2' });
    expect(ipam(['10.1.0.0/24']).ipam.allocate('a')).toEqual({ ipv4: '10.1.0.2', ipv6: '' });
  });

  it('gives back the other family when one is exhausted', () => {
    const { ipam: pool } = ipam(['10.1.0.0/24', 'fd00:1::/126']);
    pool.allocate('a');
    expect(() => {
      for (let i = 0; i < 5; i++) pool.allocate(`b${i}`);
    }).toThrow(expect.objectContaining({ code: 'IPAM_POOL_EXHAUSTED' }));
    pool.adopt('c', { ipv4: '10.1.0.4', ipv6: '' });
  });

  it('says when a pod would get only half of its addresses, or none', () => {
    const { ipam: pool } = ipam(['10.1.0.0/24', 'fd00:1::/126']);
    expect(pool.shortage()).toBeUndefined();
    pool.allocate('a');
    pool.allocate('b');
    expect(pool.shortage()?.message).toContain('no IPv6 address is free in fd00:1::/126');
  });

  it('goes on with CIDRs that come, and keeps addresses of those that go', () => {
    const { ipam: pool } = ipam(['10.1.0.0/29']);
    const first = pool.allocate('a');
    pool.setCidrs(['10.2.0.0/29', 'fd00:2::/120']);
    expect(pool.allocate('b')).toMatchObject({ ipv6: 'fd00:2::2' });
    expect(() => pool.adopt('x', first)).toThrow(expect.objectContaining({ code: 'IPAM_ADDRESS_TAKEN' }));
  });

  it('never gives an adopted address, in or out of its CIDRs', () => {
    const { ipam: pool } = ipam(['10.1.0.0/29']);
    pool.adopt('a', { ipv4: '10.1.0.2', ipv6: 'fd09::9' });
    expect(pool.allocate('b').ipv4).toBe('10.1.0.3');
  });
});

describe('NodeStateFile', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-node-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('reads what it wrote', () => {
    const state = { podCidrs: ['10.1.0.0/24'], optOut: { selector: 'a', isOptedOut: true } };
    new NodeStateFile(new StateFolder(join(dir, 'state'))).save(state);
    expect(new NodeStateFile(new StateFolder(join(dir, 'state'))).load()).toEqual(state);
    expect(readdirSync(join(dir, 'state'))).toEqual(['node.json']);
    expect([statSync(join(dir, 'state')).mode & 0o777, statSync(join(dir, 'state/node.json')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it.each([
    undefined,
    '',
    '{',
    'null',
    '{}',
    '{"podCidrs":"x"}',
    '{"podCidrs":[]}',
    '{"podCidrs":[7]}',
    '{"podCidrs":["10.1.0.0/24","x"]}',
  ])('lets the cluster say it again when the file holds %j', (text) => {
    if (text !== undefined) writeFileSync(join(dir, 'node.json'), text);
    expect(new NodeStateFile(new StateFolder(dir)).load()).toBeUndefined();
  });
});
