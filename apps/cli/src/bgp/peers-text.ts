import { spanText } from '../output/ago.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import type { BgpPeer } from './bgp-answers.ts';

const HEADINGS = ['NODE', 'LOCAL-AS', 'PEER-AS', 'PEER-ADDRESS', 'SESSION-STATE', 'UPTIME', 'FAMILY', 'RECEIVED', 'ADVERTISED'];

/** What people are told while a node drains. */
export const DRAINING_NOTE = 'this node is draining: its peers are told to prefer other ways; "isthmus bgp drain --undo" takes that back';

/** Sessions as people read them: a line for each family, and below why those that are not up are not. */
export function peersText(node: string, peers: readonly BgpPeer[], draining: boolean, colour = false): string {
  const table = renderTable(
    HEADINGS,
    peers.flatMap((peer) => peerLines(node, peer)),
    colour,
  );
  const notes = [...peers.flatMap(peerNotes), ...(draining ? [DRAINING_NOTE] : [])];
  return notes.length === 0 ? table : `${table}\n${notes.map((note) => `${printable(note)}\n`).join('')}`;
}

function peerLines(node: string, peer: BgpPeer): Cell[][] {
  const { localAsn, peerAsn, address, state, uptimeSeconds, routes } = peer;
  const tone = state === 'established' ? 'good' : state === 'refused' ? 'bad' : 'doubtful';
  const head = [
    node,
    numberText(localAsn),
    // 0 is what a configuration says that leaves it to the peer.
    numberText(peerAsn),
    address || peer.peer || '-',
    { text: state, tone } as const,
    uptimeSeconds === undefined ? '-' : spanText(uptimeSeconds),
  ];
  if (routes.length === 0) return [[...head, '-', '-', '-']];
  return routes.map(({ family, received, advertised }, index) => {
    const counts = [family, String(received), String(advertised)];
    return index === 0 ? [...head, ...counts] : [...head.map(() => ''), ...counts];
  });
}

function peerNotes({ peer, address, lastError, stale, state }: BgpPeer): string[] {
  const named = peer === '' || peer === address ? '' : `(${peer})`;
  const title = [address, named].filter((part) => part !== '').join(' ');
  return [
    ...(lastError !== undefined && state !== 'established' ? [`${title}: ${lastError}`] : []),
    ...(stale.length === 0 ? [] : [`${title}: restarts; its ${stale.join(' and ')} routes are kept meanwhile`]),
  ];
}

function numberText(asn: number): string {
  return asn === 0 ? '-' : String(asn);
}

/** What peers say goes to a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
