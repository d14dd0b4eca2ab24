/** What became of a command that was tried. */
export interface Tried {
  /** Exit status; undefined when the program is not there. */
  readonly status: number | undefined;
  /** Last line of what it said on standard error. */
  readonly said: string;
}

/** This machine, as the checks ask it. Nothing that they do stays behind. */
export interface Host {
  /** Text of a file; undefined when it cannot be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Number of the file system's type at a path; undefined when there is none. */
  fileSystemType(path: string): number | undefined;
  /** True when a program of this name is on the path. */
  hasProgram(name: string): boolean;
  /** Runs `ip …` inside a new network namespace that ends with it. */
  tryIp(...args: readonly string[]): Tried;
  /** True when the kernel knows TCX. @throws Error when it may not be asked */
  hasTcx(): boolean;
  /** True when the kernel closes sockets on request. @throws Error when it may not be asked */
  canDestroySockets(): boolean;
  /** @throws Error saying why libbpf cannot be loaded */
  requireLibbpf(): void;
}
