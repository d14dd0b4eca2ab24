import { datapathEventLayout } from '@isthmus/datapath';
import { EventFanout, type EventRing } from './event-fanout.ts';

/** A ring whose records are put in by hand. */
function fakeRing() {
  const said: string[] = [];
  let onRecord: ((record: DataView) => void) | undefined;
  const open = (): EventRing => {
    said.push('open');
    return {
      drain: () => said.push('drain'),
      start: (handler) => {
        onRecord = handler;
        said.push('start');
      },
      close: () => void said.push('close'),
    };
  };
  const record = (): void => onRecord?.(new DataView(new ArrayBuffer(datapathEventLayout.size)));
  return { said, open, record };
}

describe('EventFanout', () => {
  it('has the ring mapped only while somebody listens, and begins with what is new', () => {
    const { said, open, record } = fakeRing();
    const events = new EventFanout();
    events.start(open, () => undefined);
    expect(said).toEqual([]);
    let heard = 0;
    const leave = [events.subscribe(() => heard++), events.subscribe(() => heard++)];
    expect(said).toEqual(['open', 'drain', 'start']);
    record();
    expect(heard).toBe(2);
    leave[0]?.();
    leave[0]?.();
    record();
    expect([heard, said.length]).toEqual([3, 3]);
    leave[1]?.();
    expect(said.at(-1)).toBe('close');
    events.subscribe(() => heard++);
    expect(said.slice(-3)).toEqual(['open', 'drain', 'start']);
    events.stop();
    expect(said.at(-1)).toBe('close');
  });

  it('serves those who came before the datapath was up', () => {
    const { said, open, record } = fakeRing();
    const events = new EventFanout();
    let heard = 0;
    events.subscribe(() => heard++);
    expect(said).toEqual([]);
    events.start(open, () => undefined);
    record();
    expect([heard, said]).toEqual([1, ['open', 'drain', 'start']]);
  });
});
