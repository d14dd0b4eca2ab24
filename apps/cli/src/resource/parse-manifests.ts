import { CodedError } from '@isthmus/core';
import { kindOf, parseResource, RESOURCE_INVALID, type Resource, type ResourceKind } from '@isthmus/model';
import { LineCounter, parseAllDocuments } from 'yaml';

/** A text with resources, and what to call it in errors. */
export interface ManifestText {
  readonly name: string;
  readonly text: string;
}

/** One valid object of a manifest. */
export interface Manifest {
  readonly kind: ResourceKind;
  readonly object: Resource;
}

/** What was found in a text: objects, and errors that each name file, line, document and field. */
export interface ParsedManifests {
  readonly manifests: readonly Manifest[];
  readonly errors: readonly CodedError[];
}

/**
 * Reads every document of a text (YAML, of which JSON is a part); a `List` counts as its items. Nothing is thrown for one that is wrong.
 * @param namespace for objects that name none
 */
export function parseManifests({ name, text }: ManifestText, namespace: string): ParsedManifests {
  const lines = new LineCounter();
  const manifests: Manifest[] = [];
  const errors: CodedError[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines });
  for (const [index, document] of ('empty' in documents ? [] : documents).entries()) {
    const fault = document.errors[0];
    const line = lines.linePos(fault?.pos[0] ?? document.contents?.range?.[0] ?? 0).line;
    const place = `${name}:${line} (document ${index + 1})`;
    if (fault) errors.push(new CodedError(RESOURCE_INVALID, fault.message.split('\n')[0] as string, { object: place }));
    else for (const object of items(document.toJS())) collect(object, place);
  }
  return { manifests, errors };

  function collect(object: unknown, place: string): void {
    try {
      manifests.push(parseOne(object, namespace));
    } catch (error) {
      errors.push(placed(error, place));
    }
  }
}

function items(object: unknown): unknown[] {
  // An empty document, such as after a last `---`.
  if (object === null || object === undefined) return [];
  const list = object as { kind?: unknown; items?: unknown };
  return list.kind === 'List' && Array.isArray(list.items) ? list.items : [object];
}

function parseOne(object: unknown, namespace: string): Manifest {
  const kind = kindOf(object);
  const parsed = parseResource(kind, kind.namespaced ? inNamespace(object, namespace) : object);
  return { kind, object: parsed };
}

function inNamespace(object: unknown, namespace: string): unknown {
  const { metadata } = object as { metadata?: { namespace?: unknown } | null };
  if (typeof metadata !== 'object' || metadata === null || metadata.namespace !== undefined) return object;
  return { ...(object as object), metadata: { ...metadata, namespace } };
}

function placed(error: unknown, place: string): CodedError {
  if (!(error instanceof CodedError)) throw error;
  const about = error.object === undefined || error.message.includes(error.object) ? '' : `${error.object}: `;
  return new CodedError({ code: error.code, meaning: error.message, action: error.action }, about + error.message, { object: place });
}
