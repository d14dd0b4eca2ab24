import { ageText, spanText } from '../output/ago.ts';
import { paint } from '../output/paint.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import { sizeText } from '../output/size-text.ts';
import type { Encryption, EncryptionPeer } from './encryption-answers.ts';

const DEVICE_HEADINGS = ['DEVICE', 'EPOCHS', 'PORT', 'EPOCH', 'KEY'];
const PEER_HEADINGS = ['NODE', 'SENDS BY', 'EPOCH', 'HANDSHAKE', 'RECEIVED', 'SENT', 'PQ', 'STATE'];

const PRESHARED_TEXT: Readonly<Record<Encryption['pq'], string>> = {
  off: 'no new keys',
  preferred: 'keys where both nodes agree on one',
  required: 'keys with every node, or nothing is sent to it',
};

const OFF = `encryption is off: what goes to other nodes can be read on its way
  to turn it on: set enable-wireguard: true in the configuration of every cluster of the mesh, for agents and operators
`;

/** Whether everything goes where it should: nothing is wrong, and every other node is sent to in secret, or not at all because that is wanted. */
export function isAllEncrypted({ enabled, problem, peers }: Encryption): boolean {
  return problem === undefined && (!enabled || peers.every(({ state }) => state === 'encrypted' || state === 'excluded'));
}

/** How a node encrypts, as people read it. @param now wall time, milliseconds since 1970 */
export function encryptionText(seen: Encryption, now: number, colour = false): string {
  if (!seen.enabled) return OFF + (seen.problem === undefined ? '' : `problem: ${printable(seen.problem)}\n`);
  const head = headRows(seen, now, colour);
  const width = Math.max(...head.map(([name]) => name.length));
  return [
    ...head.map(([name, text]) => `${name.padEnd(width)}   ${text}\n`),
    `\n${renderTable(DEVICE_HEADINGS, seen.devices.map(deviceCells), colour)}`,
    seen.peers.length === 0 ? '\nthere are no other nodes\n' : `\n${renderTable(PEER_HEADINGS, seen.peers.map(peerCells), colour)}`,
  ].join('');
}

function headRows(seen: Encryption, now: number, colour: boolean): [string, string][] {
  const { node, implementation, problem, mesh } = seen;
  const { target, targetSince, nodes, atTarget, laggards, withoutKeys, blockedBy } = mesh;
  const age = ageText(targetSince, now);
  const row = (name: string, texts: readonly string[]): [string, string][] => (texts.length === 0 ? [] : [[name, texts.join(', ')]]);
  const rows: [string, string][] = [
    ['encryption', modeText(seen, colour)],
    [
      'node',
      printable(node) + (implementation === '' ? '' : `, ${implementation === 'kernel' ? "the kernel's WireGuard" : implementation}`),
    ],
    ["nodes' own", seen.encryptNode ? 'encrypted, too' : 'not encrypted'],
    ...(seen.encryptNode ? seen.exempt.map((each): [string, string] => ['in the clear', exemptText(each)]) : []),
    ['target', target === 0 ? 'none yet' : `epoch ${target}${age === '' ? '' : `, for ${age}`}`],
    ['nodes', paint(colour, atTarget === nodes ? 'good' : 'doubtful', `${atTarget} of ${nodes} at the target`)],
    ['preshared', PRESHARED_TEXT[seen.pq]],
    ...row('behind', laggards.map(printable)),
    ...row('no keys', withoutKeys.map(printable)),
    ...(blockedBy.length === 0 ? [] : row('rotation', [`blocked by ${blockedBy.map(printable).join(', ')}`])),
    ...seen.peers.flatMap(({ name, pqProblem }) =>
      pqProblem === undefined ? [] : row('no preshared', [printable(`${name}: ${pqProblem}`)]),
    ),
  ];
  return problem === undefined ? rows : [...rows, ['problem', paint(colour, 'bad', printable(problem))]];
}

function modeText({ strict }: Encryption, colour: boolean): string {
  if (strict) return `${paint(colour, 'good', 'on')}, strict: what cannot be encrypted is dropped`;
  return `${paint(colour, 'doubtful', 'on, not strict')}: to a node without keys packets go as they are, and plain ones are taken`;
}

function exemptText({ protocol, ports, what }: Encryption['exempt'][number]): string {
  return printable(`${[protocol, ports.join(',')].filter((part) => part !== '').join(' ')}: ${what}`);
}

function deviceCells({ name, device, port, epoch, fingerprint }: Encryption['devices'][number]): Cell[] {
  return [name, device, String(port), epochText(epoch), fingerprint || '-'];
}

function peerCells({ name, tx, epoch, handshakeAgeSeconds, receivedBytes, sentBytes, pq, state }: EncryptionPeer): Cell[] {
  return [
    name,
    tx === 'closed' ? '-' : tx,
    epochText(epoch),
    handshakeAgeSeconds === null ? '-' : `${spanText(handshakeAgeSeconds)} ago`,
    sizeText(receivedBytes),
    sizeText(sentBytes),
    pq ? 'yes' : 'no',
    { text: state, tone: state === 'encrypted' ? 'good' : state === 'handshake' || state === 'preshared-key' ? 'doubtful' : 'bad' },
  ];
}

function epochText(epoch: number | null): string {
  return epoch === null ? '-' : String(epoch);
}

/** Names of nodes come from other clusters. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
