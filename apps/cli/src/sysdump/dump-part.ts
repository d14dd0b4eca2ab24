/** One file of a sysdump. It is read when its turn comes, and held no longer than it takes to write it. */
export interface DumpFile {
  /** Inside the archive. */
  readonly path: string;
  /** @throws when the source cannot be read; the sysdump says so and goes on */
  read(): Promise<string>;
}

/** Files that come from one source. */
export interface DumpPart {
  /** For people: "this node's agent". */
  readonly name: string;
  /** Which files there are. @throws when the source cannot even be asked that */
  files(): Promise<readonly DumpFile[]>;
}

/** A file with a value as JSON, a row of a list a line: lists are searched by line. */
export function jsonFile(path: string, value: () => Promise<unknown>): DumpFile {
  return { path, read: async () => jsonText(await value()) };
}

function jsonText(value: unknown): string {
  if (!Array.isArray(value)) return `${JSON.stringify(value, withoutSecretFields, 2)}\n`;
  return `[\n${value.map((row) => JSON.stringify(row, withoutSecretFields)).join(',\n')}\n]\n`;
}

/** Fields of Kubernetes objects in which people put secrets. None of them tells anything of a network. */
const SECRET_FIELDS = new Set(['args', 'command', 'data', 'env', 'kubectl.kubernetes.io/last-applied-configuration', 'stringData']);

function withoutSecretFields(key: string, value: unknown): unknown {
  return SECRET_FIELDS.has(key) ? undefined : value;
}
