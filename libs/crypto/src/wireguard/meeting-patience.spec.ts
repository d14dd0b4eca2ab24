import { MeetingPatience } from './meeting-patience.ts';
import { type ClusterTarget, type LiveEpochs, meshTarget } from './mesh-target.ts';

const OWN = { cluster: 'east', newest: 38 };
const target = (epoch: number): ClusterTarget[] => [{ cluster: 'east', target: epoch }];
const nodes = (...epochs: number[][]): LiveEpochs[] => epochs.map((each) => ({ cluster: 'east', epochs: each }));

it('a node that was cut off, and reads the new target before the new records, goes where the others are', () => {
  const patience = new MeetingPatience();
  const old = meshTarget(OWN, target(40), nodes([38], [38]));
  expect(old).toMatchObject({ epoch: 41, meets: true });
  expect(patience.settled(old, 38, 1_000).epoch).toBe(38);
  const fresh = meshTarget(OWN, target(40), nodes([38], [39, 40]));
  expect(fresh).toEqual({ epoch: 40, ignored: [] });
  expect(patience.settled(fresh, 38, 1_500).epoch).toBe(40);
});

it('clusters that do meet wait for some seconds, and for others to begin no longer', () => {
  const patience = new MeetingPatience();
  const meeting = meshTarget({ ...OWN, newest: 8 }, target(42), nodes([8], [8]));
  expect([0, 3_000, 4_999, 5_000, 9_000].map((now) => patience.settled(meeting, 8, now).epoch)).toEqual([8, 8, 8, 43, 43]);
  const begun = meshTarget({ ...OWN, newest: 8 }, target(42), nodes([8], [8, 43]));
  expect(new MeetingPatience().settled(begun, 8, 0).epoch).toBe(43);
});

it('what has gone away in between is waited for anew', () => {
  const patience = new MeetingPatience();
  const meeting = meshTarget({ ...OWN, newest: 8 }, target(42), nodes([8], [8]));
  patience.settled(meeting, 8, 0);
  patience.settled({ epoch: 8, ignored: [] }, 8, 4_000);
  expect(patience.settled(meeting, 8, 6_000).epoch).toBe(8);
});
