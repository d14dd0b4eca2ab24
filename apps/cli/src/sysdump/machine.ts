/** This machine, as a sysdump looks at it. Nothing is changed. */
export interface Machine {
  /** True when a program of this name is on the path. */
  hasProgram(name: string): boolean;
  /** True when there is a file or folder at a path. */
  exists(path: string): boolean;
  /** What a program prints, standard error after standard output. @throws CodedError CLI_COMMAND when it fails */
  run(argv: readonly string[]): Promise<string>;
  /** The end of a file. @param maxBytes what it is at most. @throws Error when it cannot be read */
  readEnd(path: string, maxBytes: number): Promise<string>;
  /** Paths of all that is under a folder, one a line. @throws Error when it cannot be read */
  tree(path: string): Promise<string>;
  /** The page at an address. @throws Error when nobody answers, or not with 200 */
  page(url: string): Promise<string>;
  /** Versions of what the command itself runs on. */
  versions(): Readonly<Record<string, string>>;
}
