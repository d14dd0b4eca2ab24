/** Values in a page: 16 KiB. */
const PAGE = 4096;
const PAGE_BITS = 12;

/**
 * Numbers by number where most are zero: pages exist only where something was written. A peer that is sent ten routes of a million costs one
 * page, and growing copies nothing.
 */
export class PagedColumn {
  readonly #pages: (Int32Array | undefined)[] = [];

  get(at: number): number {
    const page = this.#pages[at >>> PAGE_BITS];
    return page === undefined ? 0 : page[at & (PAGE - 1)]!;
  }

  set(at: number, value: number): void {
    const number = at >>> PAGE_BITS;
    let page = this.#pages[number];
    if (page === undefined) {
      if (value === 0) return;
      while (this.#pages.length < number) this.#pages.push(undefined);
      page = new Int32Array(PAGE);
      this.#pages[number] = page;
    }
    page[at & (PAGE - 1)] = value;
  }
}
