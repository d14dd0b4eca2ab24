import { CodedError, messageOf } from '@isthmus/core';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { CLI_CONTEXT_FILE } from '../cli.errors.ts';

const contextSchema = z.strictObject({
  name: z.string().min(1),
  /** The join API: `https://host:port`. */
  endpoint: z.string().min(1).exactOptional(),
  /** The cluster's CA bundle: PEM, or a file of it. */
  ca: z.string().min(1).exactOptional(),
  /** Files of the certificate that this person calls with. */
  credential: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).exactOptional(),
  /** etcd client file of the cluster etcd. */
  etcd: z.string().min(1).exactOptional(),
});

const fileSchema = z
  .strictObject({ current: z.string().exactOptional(), contexts: z.array(contextSchema).default([]) })
  .superRefine(({ contexts }, context) => {
    const names = contexts.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) context.addIssue({ code: 'custom', path: ['contexts'], message: `two contexts are called ${twice}` });
  });

/** How to reach one cluster, and as whom. */
export type Context = z.output<typeof contextSchema>;
/** All contexts of a person. */
export type ContextFile = z.output<typeof fileSchema>;

/**
 * Reads the contexts.
 * @param text YAML; empty when there is no file yet
 * @param path what to call it in errors
 * @throws CodedError CLI_CONTEXT_FILE naming the field
 */
export function parseContextFile(text: string, path: string): ContextFile {
  const result = fileSchema.safeParse(parseYaml(text, path) ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CodedError(CLI_CONTEXT_FILE, `${issue?.path.join('.') || 'document'}: ${issue?.message}`, { object: path });
}

/** The file's text. */
export function contextFileText(file: ContextFile): string {
  return `# Contexts of the isthmus command; see "isthmus context --help".\n${stringify(file)}`;
}

/** Adds a context, or changes the given parts of one; the first one becomes the current one. */
export function withContext(file: ContextFile, context: Context): ContextFile {
  const before = file.contexts.find(({ name }) => name === context.name);
  const others = file.contexts.filter(({ name }) => name !== context.name);
  const contexts = [...others, { ...before, ...context }].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { current: file.current ?? context.name, contexts };
}

/** Removes a context; if it was the current one, none is. */
export function withoutContext(file: ContextFile, name: string): ContextFile {
  const contexts = file.contexts.filter((each) => each.name !== name);
  return file.current === undefined || file.current === name ? { contexts } : { current: file.current, contexts };
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new CodedError(CLI_CONTEXT_FILE, messageOf(cause), { object: path, cause });
  }
}
