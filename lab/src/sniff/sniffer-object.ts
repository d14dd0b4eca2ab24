import { BpfObject, PROTOCOL_NUMBER } from '@isthmus/datapath';
import { parseCidr } from '@isthmus/net';
import { repositoryFile } from '../toolchain.ts';
import { FRAME_KINDS } from './frame-kind.ts';
import type { PlaceRule, PortRule, SniffRules } from './sniff-rules.ts';

/** The sniffers' programs (bpf/sniffer), as `make` builds them. */
const OBJECT = repositoryFile('bpf/build/sniffer/sniffer.bpf.o');
const ADDRESS_BYTES = 16;
/** An IPv4 address is mapped into IPv6. */
const MAPPED_BYTES = 12;
/** `enum place_kind` */
const PLACE_NUMBER: Readonly<Record<PlaceRule['kind'], number>> = { pod: 1, node: 2, open: 3 };

/** How to load the programs for one cable. */
export interface SnifferObjectOptions {
  /** Number of the cable: the place of its counters. 0 unless given. */
  readonly cable?: number;
  /** By which frames are judged; without them they are only counted. */
  readonly rules?: SniffRules | undefined;
  /** Folder on a bpffs mount: the programs of all cables share what is pinned in it. */
  readonly pinFolder?: string;
  /** Of the ring of events; as compiled unless given. */
  readonly ringBytes?: number;
}

/** Loads the programs, and tells them the rules. The caller closes it. @throws CodedError BPF_LOAD and others of `BpfObject.load` */
export function loadSniffer({ cable = 0, rules, pinFolder, ringBytes }: SnifferObjectOptions = {}): BpfObject {
  const object = BpfObject.load({
    path: OBJECT,
    config: wordBytes(cable, rules === undefined ? 0 : 1),
    ...(pinFolder === undefined ? {} : { pinFolder }),
    ...(ringBytes === undefined ? {} : { maxEntries: { sniff_events: ringBytes } }),
  });
  for (const rule of rules?.ports ?? []) object.map('sniff_ports').set(portKey(rule), wordBytes(FRAME_KINDS.indexOf(rule.kind)));
  for (const rule of rules?.places ?? []) object.map('sniff_places').set(placeKey(rule), wordBytes(PLACE_NUMBER[rule.kind]));
  return object;
}

/** The bytes of numbers of 32 bits. */
export function wordBytes(...words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

function portKey({ protocol, port }: PortRule): Uint8Array {
  return Uint8Array.of(port & 0xff, port >> 8, PROTOCOL_NUMBER[protocol], 0);
}

function placeKey({ network }: PlaceRule): Uint8Array {
  const cidr = parseCidr(network);
  if (cidr === undefined) throw new RangeError(`${network} is no network`);
  const { bytes } = cidr.address;
  const address = new Uint8Array(ADDRESS_BYTES);
  if (cidr.family === 4) address.fill(0xff, MAPPED_BYTES - 2, MAPPED_BYTES);
  address.set(bytes, ADDRESS_BYTES - bytes.length);
  return Uint8Array.from([...wordBytes(cidr.length + 8 * (ADDRESS_BYTES - bytes.length)), ...address]);
}
