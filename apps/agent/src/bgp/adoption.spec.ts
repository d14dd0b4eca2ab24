import type { PeerStatus } from '@isthmus/bgp';
import { declareSource, LOCAL_SCOPE, ManualClock, Store } from '@isthmus/core';
import { Adoption } from './adoption.ts';
import type { BgpInstanceRow, BgpPeerRow } from './bgp-rows.ts';
import type { RunningSpeaker } from './running-speaker.ts';

/** An adoption whose peers are one speaker's, and what they say. */
function fixture() {
  const clock = new ManualClock();
  const store = new Store(clock, {
    onFault: ({ error }) => {
      throw error;
    },
  });
  const speakers = declareSource<BgpInstanceRow>(store, 'speakers', LOCAL_SCOPE);
  const peers = declareSource<BgpPeerRow>(store, 'peers', LOCAL_SCOPE);
  const running = new Map<string, RunningSpeaker>();
  const said: Pick<PeerStatus, 'address' | 'state' | 'families' | 'complete'>[] = [];
  const state = { waiting: false, completed: 0 };
  const adoption = new Adoption({
    tables: { speakers: speakers.table, peers: peers.table },
    running,
    isWaiting: () => state.waiting,
    clock,
    onComplete: () => void state.completed++,
  });
  const configured = (...addresses: string[]): void => {
    speakers.put('rack', {} as BgpInstanceRow);
    for (const address of addresses) peers.put(`rack/${address}`, { instance: 'rack', name: address, address } as BgpPeerRow);
    peers.synced(LOCAL_SCOPE);
  };
  const started = (): void => void running.set('rack', { speaker: { status: () => said } } as unknown as RunningSpeaker);
  const says = (address: string, complete: PeerStatus['complete']): void =>
    void said.push({ address, state: 'established', families: ['ipv4', 'ipv6'], complete });
  const completed = (): number => {
    adoption.check();
    return state.completed;
  };
  return { clock, adoption, peers, said, state, configured, started, says, completed };
}

it('waits for as long as nobody tells which peers there are', () => {
  const { clock, completed, peers } = fixture();
  expect(completed()).toBe(0);
  clock.advance(1_000_000);
  expect(completed()).toBe(0);
  peers.synced(LOCAL_SCOPE);
  expect(completed()).toBe(1);
});

it('is over, once, when every peer has said all of each family', () => {
  const { clock, completed, configured, started, says, said } = fixture();
  configured('10.0.0.2', '10.0.0.3');
  expect(completed()).toBe(0);
  started();
  says('10.0.0.2', ['ipv4', 'ipv6']);
  says('10.0.0.3', ['ipv4']);
  expect(completed()).toBe(0);
  said.pop();
  says('10.0.0.3', ['ipv6', 'ipv4']);
  expect(completed()).toBe(1);
  clock.advance(1_000_000);
  expect(completed()).toBe(1);
});

it('waits for peers whose addresses are not found yet', () => {
  const { completed, configured, started, state } = fixture();
  configured();
  started();
  state.waiting = true;
  expect(completed()).toBe(0);
  state.waiting = false;
  expect(completed()).toBe(1);
});

it('is over two minutes after the peers are known, whatever they say, unless it was stopped', () => {
  const { clock, completed, configured, state } = fixture();
  configured('10.0.0.2');
  expect(completed()).toBe(0);
  clock.advance(119_999);
  expect(completed()).toBe(0);
  clock.advance(1);
  expect(state.completed).toBe(1);
  const stopped = fixture();
  stopped.configured('10.0.0.2');
  stopped.adoption.check();
  stopped.adoption.stop();
  stopped.clock.advance(1_000_000);
  expect(stopped.state.completed).toBe(0);
});
