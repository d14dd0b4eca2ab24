import { join } from 'node:path';
import { BpfMap } from '@isthmus/datapath';
import { FRAME_KINDS, type FrameKind, type KindCounts } from './frame-kind.ts';
import { wordBytes } from './sniffer-object.ts';

/** Directions of a cable, in the order of `enum cable_direction`. */
export const DIRECTIONS = ['from', 'to'] as const;
/** As a station, a node or a control plane, sent it; or as it was sent to it. */
export type CableDirection = (typeof DIRECTIONS)[number];

/** What the lab expects while frames are counted, in the order of `enum phase`. `plain`: somebody turned encryption off, to see whether it is noticed. */
export const PHASES = ['encrypted', 'plain'] as const;
/** One of {@link PHASES}. */
export type SniffPhase = (typeof PHASES)[number];

/** What was counted in one direction of a cable. */
export interface FrameCounts {
  readonly frames: number;
  /** Those in which the packet of a flow could be read. */
  readonly readable: number;
  /** Events, and flows, that the programs had no room for. */
  readonly lost: number;
  /** All zero where nothing is judged. */
  readonly kinds: KindCounts;
}

/** Packets of one flow that could be read. */
export interface FlowCounts {
  readonly packets: number;
  /** Those that came without a tunnel's headers around them. */
  readonly bare: number;
}

type WithMap = <T>(name: string, read: (map: BpfMap) => T) => T;

const WORD_BYTES = 8;
/** `struct cable_count`: frames, readable, lost, and one number for each kind. */
const COUNT_WORDS = 3 + FRAME_KINDS.length;
const ID_DIGITS = 16;

/** The maps that the sniffers of all cables count in. */
export class SnifferMaps {
  readonly #with: WithMap;

  private constructor(withMap: WithMap) {
    this.#with = withMap;
  }

  /** Those that are pinned in a folder. */
  static pinned(folder: string): SnifferMaps {
    return new SnifferMaps((name, read) => {
      const map = BpfMap.open(join(folder, name), name);
      try {
        return read(map);
      } finally {
        map.close();
      }
    });
  }

  /** Those of a loaded object. */
  static of(object: { map(name: string): BpfMap }): SnifferMaps {
    return new SnifferMaps((name, read) => read(object.map(name)));
  }

  counts(cable: number, direction: CableDirection, phase: SniffPhase): FrameCounts {
    const row = (cable * DIRECTIONS.length + DIRECTIONS.indexOf(direction)) * PHASES.length + PHASES.indexOf(phase);
    const value = this.#with('sniff_counts', (map) => map.lookup(wordBytes(row)));
    return decodeCounts(value ?? new Uint8Array(COUNT_WORDS * WORD_BYTES));
  }

  /** By the flow's id: 16 hexadecimal digits. */
  flows(): Map<string, FlowCounts> {
    const rows = this.#with('sniff_flows', (map) => [...map.entries()]);
    return new Map(
      rows.map(([key, value]) => {
        const [packets = 0, bare = 0] = numbers(value);
        return [idText(key), { packets, bare }];
      }),
    );
  }

  /** Those that have ended come no more. */
  forgetFlows(): void {
    this.#with('sniff_flows', (map) => {
      for (const [key] of [...map.entries()]) map.unset(key);
    });
  }

  /** What is expected now. */
  phase(): SniffPhase {
    const value = this.#with('sniff_phase', (map) => map.lookup(wordBytes(0)));
    return PHASES[value?.[0] ?? 0]!;
  }

  /** Says what is expected from now on. */
  expect(phase: SniffPhase): void {
    this.#with('sniff_phase', (map) => map.set(wordBytes(0), wordBytes(PHASES.indexOf(phase))));
  }
}

/** What was counted in all of these. */
export function addCounts(all: readonly FrameCounts[]): FrameCounts {
  return combine((of) => all.reduce((sum, counts) => sum + of(counts), 0));
}

/** What was counted since `before`. */
export function countsSince(now: FrameCounts, before: FrameCounts): FrameCounts {
  return combine((of) => of(now) - of(before));
}

function combine(number: (of: (counts: FrameCounts) => number) => number): FrameCounts {
  return {
    frames: number(({ frames }) => frames),
    readable: number(({ readable }) => readable),
    lost: number(({ lost }) => lost),
    kinds: kindCounts((kind) => number(({ kinds }) => kinds[kind])),
  };
}

/** @param value one of each processor */
function decodeCounts(value: Uint8Array): FrameCounts {
  const words = numbers(value);
  const sum = (at: number): number => words.filter((_, index) => index % COUNT_WORDS === at).reduce((total, each) => total + each, 0);
  return { frames: sum(0), readable: sum(1), lost: sum(2), kinds: kindCounts((kind) => sum(3 + FRAME_KINDS.indexOf(kind))) };
}

function kindCounts(of: (kind: FrameKind) => number): KindCounts {
  return Object.fromEntries(FRAME_KINDS.map((kind) => [kind, of(kind)])) as unknown as KindCounts;
}

function numbers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / WORD_BYTES }, (_, index) => Number(view.getBigUint64(index * WORD_BYTES, true)));
}

function idText(key: Uint8Array): string {
  return new DataView(key.buffer, key.byteOffset).getBigUint64(0, true).toString(16).padStart(ID_DIGITS, '0');
}
