import type { PodPlace } from '@isthmus/lab';
import { type CniNode, type CniOutput, failure, ip, type Traces } from './cni-lab.ts';

/** CHECK: sees whatever of the result of ADD is no longer so. */
export function checkCases(node: () => CniNode): void {
  let pod: PodPlace;
  let before: Traces;
  let added: CniOutput;
  const check = (prevResult: object = JSON.parse(added.text), config: object = {}): Promise<CniOutput> =>
    node().call('CHECK', pod, { config: { prevResult, ...config } });

  beforeAll(async () => {
    [pod] = (await node().makePods('check')) as [PodPlace];
    before = await node().traces();
  });
  beforeEach(async () => {
    added = await node().add(pod);
  });
  afterEach(async () => {
    await node().call('DEL', pod);
    await node().settlesAt(before);
  });
  afterAll(() => node().removePods(pod));

  it('says nothing when all is well, at once after ADD, and in every version that has it', async () => {
    expect(await check()).toEqual({ status: 0, text: '' });
    for (const cniVersion of ['0.4.0', '1.0.0']) expect(await check(undefined, { cniVersion })).toEqual({ status: 0, text: '' });
    expect(await check(undefined, { cniVersion: '0.3.1' })).toEqual(failure(1, /CHECK exists since 0\.4\.0/));
  });

  it.each<[string, RegExp, string[][]]>([
    ['the interface is down', /device eth0 is down/, [['link', 'set', 'eth0', 'down']]],
    ['an address is missing', /eth0 does not have address 10\.1\./, [['address', 'flush', 'dev', 'eth0', 'scope', 'global']]],
    ['the default route is missing', /route to 0\.0\.0\.0\/0/, [['-4', 'route', 'delete', 'default']]],
    ['the IPv6 default route is missing', /route to ::\/0/, [['-6', 'route', 'delete', 'default']]],
    ['the hardware address is another', /eth0 has address 02:00:00:00:00:09/, [['link', 'set', 'eth0', 'address', '02:00:00:00:00:09']]],
    [
      'the interface has another name',
      /eth0 is gone from/,
      [
        ['link', 'set', 'eth0', 'down'],
        ['link', 'set', 'eth0', 'name', 'other'],
      ],
    ],
  ])('fails when %s', async (_, fault, commands) => {
    for (const command of commands) ip(pod.netns, ...command);
    expect(await check()).toEqual(failure(100, new RegExp(`^ENDPOINT_BROKEN: default/check: .*${fault.source}`)));
  });

  it('fails when the host’s side is down, or gone', async () => {
    const host = added.interfaces![0]!.name;
    ip(node().node.netns, 'link', 'set', host, 'down');
    expect(await check()).toEqual(failure(100, new RegExp(`device ${host} is down`)));
    ip(node().node.netns, 'link', 'delete', host);
    expect(await check()).toEqual(failure(100, new RegExp(`device ${host} is gone`)));
  });

  it('fails when the result names an address that the pod does not have, and takes it when a later plugin gave it', async () => {
    const result = JSON.parse(added.text) as { ips: object[] };
    const more = { ...result, ips: [...result.ips, { address: '192.0.2.77/32', interface: 1 }] };
    expect(await check(more)).toEqual(failure(100, /does not have address 192\.0\.2\.77\/32/));
    ip(pod.netns, 'address', 'add', '192.0.2.77/32', 'dev', 'eth0');
    expect(await check(more)).toMatchObject({ status: 0 });
  });

  it('does not ask for a route that a later plugin took out of the result', async () => {
    ip(pod.netns, '-4', 'route', 'delete', 'default');
    const result = JSON.parse(added.text) as { routes: { dst: string }[] };
    expect(await check({ ...result, routes: result.routes.filter(({ dst }) => dst !== '0.0.0.0/0') })).toMatchObject({ status: 0 });
  });

  it('needs the result, and a container that was added', async () => {
    expect(await node().call('CHECK', pod)).toEqual(failure(7, /config\.prevResult/));
    const prevResult = JSON.parse(added.text);
    expect(await node().call('CHECK', pod, { config: { prevResult }, env: { CNI_CONTAINERID: 'nobody' } })).toEqual(failure(3, /nobody/));
    expect(await node().call('CHECK', pod, { config: { prevResult }, env: { CNI_NETNS: '' } })).toEqual(failure(4, /CNI_NETNS/));
  });

  it('cannot say while the agent is down, and says the same as before when it is back', async () => {
    await node().stopAgent();
    expect(await check()).toEqual(failure(11, /^CNI_AGENT_UNREACHABLE: /));
    await node().startAgent();
    expect(await check()).toEqual({ status: 0, text: '' });
  });
}
