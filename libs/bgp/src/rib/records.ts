/** Records in a page. */
const PAGE_BITS = 10;
const PAGE = 1 << PAGE_BITS;

/**
 * Records of a few 32-bit fields each, by number from 0 on, in pages of 1024: growing copies nothing, so that no turn of the loop is long, and
 * what is asked of one record lies together, which is what counts when records are met in any order.
 */
export class Records {
  readonly #pages: Int32Array[] = [];
  readonly #width: number;
  #fields = 0;

  /** @param width fields of a record */
  constructor(width: number) {
    this.#width = width;
    this.reach(0);
  }

  /** The next field of all records. */
  field(): Field {
    return new Field(this.#pages, this.#width, this.#fields++);
  }

  /** Makes room for a record; what is new is zero. */
  reach(id: number): void {
    while (this.#pages.length << PAGE_BITS <= id) this.#pages.push(new Int32Array(PAGE * this.#width));
  }
}

/** One field of {@link Records}, by their number; the record must have been reached. */
export class Field {
  readonly #pages: readonly Int32Array[];
  readonly #width: number;
  readonly #field: number;

  constructor(pages: readonly Int32Array[], width: number, field: number) {
    this.#pages = pages;
    this.#width = width;
    this.#field = field;
  }

  get(id: number): number {
    return this.#pages[id >>> PAGE_BITS]![(id & (PAGE - 1)) * this.#width + this.#field]!;
  }

  /** The same without a sign. */
  u32(id: number): number {
    return this.get(id) >>> 0;
  }

  /** Keeps the low 32 bits. */
  set(id: number, value: number): void {
    this.#pages[id >>> PAGE_BITS]![(id & (PAGE - 1)) * this.#width + this.#field] = value;
  }
}
