import { LEARNED_ROUTE_PROTOCOL, type NetlinkEvent, ROUTE_PROTOCOL, type Route } from '@isthmus/datapath';
import { LearnedHops } from './learned-hops.ts';

const [UP0, UP1] = [2, 3];

function route(destination: string, devices: readonly number[], protocol = LEARNED_ROUTE_PROTOCOL): Route {
  const [device, ...more] = devices;
  if (device === undefined) return { destination, protocol };
  return more.length === 0
    ? { destination, protocol, device, via: '10.0.0.1' }
    : { destination, protocol, hops: devices.map((each) => ({ via: '10.0.0.1', device: each })) };
}

const told = (changed: Route, gone = false): NetlinkEvent[] => [{ kind: 'route', route: changed, gone }];

describe('the devices of learned routes', () => {
  it('are those of all next hops, until the route leads elsewhere', () => {
    const hops = new LearnedHops([route('10.1.0.0/24', [UP1, UP0]), route('10.2.0.0/24', [UP0, UP1])]);
    hops.take(told(route('10.1.0.0/24', [UP1])));
    expect([hops.isOver([UP0]), hops.isOver([UP1])]).toEqual([true, true]);
    hops.take(told(route('10.2.0.0/24', [UP1])));
    expect([hops.isOver([UP0]), hops.isOver([UP1]), hops.size]).toEqual([false, true, 2]);
  });

  it('are none once the routes are gone', () => {
    const hops = new LearnedHops([route('10.1.0.0/24', [UP0, UP1])]);
    hops.take(told(route('10.1.0.0/24', [UP0, UP1]), true));
    expect([hops.isOver([UP0, UP1]), hops.size]).toEqual([false, 0]);
  });

  it('are not those of routes that somebody else made', () => {
    const hops = new LearnedHops([route('10.1.0.0/24', [UP0], ROUTE_PROTOCOL)]);
    hops.take(told(route('10.2.0.0/24', [UP0], 2)));
    expect([hops.isOver([UP0]), hops.size]).toEqual([false, 0]);
  });

  it('are whole when there are all routes, and each leads over all devices', () => {
    const hops = new LearnedHops([route('10.1.0.0/24', [UP0, UP1]), route('10.2.0.0/24', [UP1])]);
    expect(hops.areWhole(2, [UP0, UP1])).toBe(false);
    hops.take(told(route('10.2.0.0/24', [UP1, UP0])));
    expect([hops.areWhole(2, [UP0, UP1]), hops.areWhole(3, [UP0, UP1])]).toEqual([true, false]);
  });

  it('cannot be told after something was lost', () => {
    expect(() => new LearnedHops([]).take([{ kind: 'lost' }])).toThrow('more of routes');
  });
});
