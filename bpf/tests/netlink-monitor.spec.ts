import { type NetlinkEvent, NetlinkMonitor, withNetns } from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { createNetns, type TestNetns } from './netns.ts';

const cleanup = new Cleanup();
let netns: TestNetns;
let events: NetlinkEvent[];
let wake: () => void;

/** Waits until something like this has been told. */
async function told(expected: object): Promise<void> {
  const isThere = (): boolean => {
    try {
      expect(events).toContainEqual(expect.objectContaining(expected));
      return true;
    } catch {
      return false;
    }
  };
  while (!isThere()) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

beforeEach(() => {
  [events, wake] = [[], () => undefined];
  netns = cleanup.add(createNetns('monitor'), (made) => made.remove());
  const take = (more: readonly NetlinkEvent[]): void => {
    events.push(...more);
    wake();
  };
  cleanup.add(
    withNetns(netns.path, () => new NetlinkMonitor(take)),
    (monitor) => void monitor.close(),
  );
});

afterEach(() => cleanup.run());

it('tells of devices, addresses and routes of its own network namespace', async () => {
  netns.ip('link add up0 index 80 type veth peer name tor0');
  await told({ kind: 'link' });
  for (const device of ['up0', 'tor0']) netns.ip(`link set ${device} up`);
  netns.ip('address add 10.9.0.1/24 dev up0');
  await told({ kind: 'address' });
  netns.ip('route add 10.1.0.0/24 via 10.9.0.2 proto 196 metric 7');
  await told({
    kind: 'route',
    gone: false,
    route: expect.objectContaining({ destination: '10.1.0.0/24', via: '10.9.0.2', device: 80, protocol: 196, metric: 7 }),
  });
  netns.ip('route del 10.1.0.0/24 proto 196');
  await told({ kind: 'route', gone: true, route: expect.objectContaining({ destination: '10.1.0.0/24' }) });
});

it('tells of a device that went down, over which routes go without a word', async () => {
  netns.ip('link add up0 type veth peer name tor0');
  for (const device of ['up0', 'tor0']) netns.ip(`link set ${device} up`);
  netns.ip('address add 10.9.0.1/24 dev up0');
  netns.ip('route add 10.1.0.0/24 via 10.9.0.2 proto 196');
  await told({ kind: 'route', gone: false, route: expect.objectContaining({ destination: '10.1.0.0/24' }) });
  events = [];
  netns.ip('link set up0 down');
  await told({ kind: 'link' });
});
