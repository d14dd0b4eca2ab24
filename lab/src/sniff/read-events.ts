import { join } from 'node:path';
import { BpfMap, RingBuffer } from '@isthmus/datapath';
import { decodeSniffEvent, sniffEventText } from './sniff-event.ts';
import { READING } from './sniffer-words.ts';

// The lab's process `sniffer`: writes down what forbidden frames look like, a few of each second. It empties the ring in any case: what finds no room there
// is counted, and fails checks.
//
//   read-events.ts FOLDER CABLE...        cables' names, in the order of their numbers

const MAP = 'sniff_events';
const LINES_PER_SECOND = 20;
const SECOND_MS = 1_000;

const [folder = '', ...cables] = process.argv.slice(2);
const ring = new RingBuffer(BpfMap.open(join(folder, MAP), MAP));
let [second, lines] = [0, 0];

function isTooMuch(): boolean {
  const now = Math.floor(Date.now() / SECOND_MS);
  if (now !== second) [second, lines] = [now, 0];
  return ++lines > LINES_PER_SECOND;
}

ring.start(
  (record) => {
    if (isTooMuch()) return;
    const event = decodeSniffEvent(record);
    console.log(sniffEventText(event, cables[event.cable] ?? `cable ${event.cable}`));
  },
  (error) => console.error(error),
);
console.log(READING);
