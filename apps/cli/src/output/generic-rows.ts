import { renderTable } from './print-table.ts';

/** A table of objects of any shape: a column for each field that one of them has, in order of appearance. */
export function renderObjects(objects: readonly Readonly<Record<string, unknown>>[], colour = false): string {
  const fields = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  if (fields.length === 0) return 'no rows\n';
  return renderTable(
    fields.map((field) => field.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toUpperCase()),
    objects.map((object) => fields.map((field) => valueText(object[field]))),
    colour,
  );
}

/** A value in one cell: lists with commas, objects as JSON, what is absent as nothing. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(valueText).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
