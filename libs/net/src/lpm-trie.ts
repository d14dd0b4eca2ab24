import { Cidr, samePrefix } from './cidr.ts';
import type { Ip } from './ip.ts';

/** What a longest-prefix match found. */
export interface LpmMatch<V> {
  cidr: Cidr;
  value: V;
}

/** A node: a prefix, with an entry when that prefix was inserted and without one where two branches part. */
interface Node<V> {
  bytes: Uint8Array;
  length: number;
  entry: LpmMatch<V> | undefined;
  zero: Node<V> | undefined;
  one: Node<V> | undefined;
}

/** Bit `index` of an address, counted from the left. */
function bitAt(bytes: Uint8Array, index: number): boolean {
  return (bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0;
}

/** How many leading bits two addresses share, at most `limit`. */
function commonBits(a: Uint8Array, b: Uint8Array, limit: number): number {
  for (let i = 0; i * 8 < limit; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}

function newNode<V>(bytes: Uint8Array, length: number): Node<V> {
  return { bytes, length, entry: undefined, zero: undefined, one: undefined };
}

function childFor<V>(node: Node<V>, bytes: Uint8Array): Node<V> | undefined {
  return bitAt(bytes, node.length) ? node.one : node.zero;
}

function setChild<V>(node: Node<V>, bytes: Uint8Array, child: Node<V> | undefined): void {
  if (bitAt(bytes, node.length)) node.one = child;
  else node.zero = child;
}

/** Values by network, both families, with exact lookup and longest-prefix match. A path-compressed binary trie per family. */
export class LpmTrie<V> {
  #root4: Node<V> = newNode(new Uint8Array(4), 0);
  #root6: Node<V> = newNode(new Uint8Array(16), 0);
  #size = 0;

  /** Number of networks. */
  get size(): number {
    return this.#size;
  }

  /** The value of exactly this network. */
  get(cidr: Cidr): V | undefined {
    let node: Node<V> | undefined = this.#root(cidr.address);
    while (node !== undefined && node.length < cidr.length) node = childFor(node, cidr.address.bytes);
    return node !== undefined && node.length === cidr.length && samePrefix(node.bytes, cidr.address.bytes, cidr.length)
      ? node.entry?.value
      : undefined;
  }

  /** Sets the value of a network, replacing the one it had. */
  insert(cidr: Cidr, value: V): void {
    const node = this.#nodeFor(cidr);
    if (node.entry === undefined) this.#size++;
    node.entry = { cidr, value };
  }

  /** Removes a network. Returns whether it was there. */
  delete(cidr: Cidr): boolean {
    const bytes = cidr.address.bytes;
    const path: Node<V>[] = [];
    let node: Node<V> | undefined = this.#root(cidr.address);
    while (node !== undefined && node.length < cidr.length) {
      path.push(node);
      node = childFor(node, bytes);
    }
    if (node?.entry === undefined || node.length !== cidr.length || !samePrefix(node.bytes, bytes, cidr.length)) return false;
    node.entry = undefined;
    this.#size--;
    path.push(node);
    this.#collapse(path);
    return true;
  }

  /** The longest network that contains the address, and its value. */
  match(ip: Ip): LpmMatch<V> | undefined {
    const bits = ip.bytes.length * 8;
    let best: LpmMatch<V> | undefined;
    let node: Node<V> | undefined = this.#root(ip);
    while (node !== undefined && samePrefix(node.bytes, ip.bytes, node.length)) {
      if (node.entry !== undefined) best = node.entry;
      node = node.length < bits ? childFor(node, ip.bytes) : undefined;
    }
    return best;
  }

  /** Every network and its value: IPv4 first, in address order, the wider one before those inside it. */
  *entries(): Generator<LpmMatch<V>> {
    for (const root of [this.#root4, this.#root6]) {
      const stack: Node<V>[] = [root];
      for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
        if (node.entry !== undefined) yield node.entry;
        if (node.one !== undefined) stack.push(node.one);
        if (node.zero !== undefined) stack.push(node.zero);
      }
    }
  }

  /** Removes everything. */
  clear(): void {
    this.#root4 = newNode(new Uint8Array(4), 0);
    this.#root6 = newNode(new Uint8Array(16), 0);
    this.#size = 0;
  }

  #root(address: Ip): Node<V> {
    return address.family === 4 ? this.#root4 : this.#root6;
  }

  /** The node of exactly this network, made when it is not there. */
  #nodeFor(cidr: Cidr): Node<V> {
    const bytes = cidr.address.bytes;
    let node = this.#root(cidr.address);
    while (node.length < cidr.length) {
      const child = childFor(node, bytes);
      if (child === undefined) {
        const leaf = newNode<V>(bytes, cidr.length);
        setChild(node, bytes, leaf);
        return leaf;
      }
      const common = commonBits(bytes, child.bytes, Math.min(cidr.length, child.length));
      node = common === child.length ? child : this.#split(node, child, cidr, common);
    }
    return node;
  }

  /** Puts a node for the first `common` bits between parent and child. */
  #split(parent: Node<V>, child: Node<V>, cidr: Cidr, common: number): Node<V> {
    const middle = newNode<V>(new Cidr(cidr.address, common).address.bytes, common);
    setChild(parent, cidr.address.bytes, middle);
    setChild(middle, child.bytes, child);
    return middle;
  }

  /** Takes out the nodes at the end of the path that hold no entry and do not branch. The root stays. */
  #collapse(path: Node<V>[]): void {
    for (let i = path.length - 1; i > 0; i--) {
      const node = path[i]!;
      if (node.entry !== undefined || (node.zero !== undefined && node.one !== undefined)) return;
      setChild(path[i - 1]!, node.bytes, node.zero ?? node.one);
    }
  }
}
