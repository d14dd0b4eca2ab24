import { z } from 'zod';

const requirement = z
  .looseObject({
    key: z.string().min(1),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(z.string()).optional(),
  })
  .superRefine(({ operator, values }, context) => {
    const wanted = operator === 'In' || operator === 'NotIn';
    if (wanted === (values ?? []).length > 0) return;
    const message = wanted ? `${operator} needs at least one value` : `${operator} takes no values`;
    context.addIssue({ code: 'custom', path: ['values'], message });
  });

/** Schema of a Kubernetes label selector. */
export const labelSelectorSchema = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z.array(requirement).optional(),
});

/** A Kubernetes label selector: all of its labels and all of its expressions must hold. Empty, it selects everything. */
export type LabelSelector = z.infer<typeof labelSelectorSchema>;

/**
 * Whether a selector selects an object of these labels. What an absent selector means differs from field to field, so the caller decides it.
 * As in Kubernetes, NotIn also selects objects without the label.
 */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labelOf(labels, key) !== value) return false;
  return (selector.matchExpressions ?? []).every((expression) => holds(expression, labelOf(labels, expression.key)));
}

function holds({ operator, values = [] }: z.infer<typeof requirement>, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Labels come from JSON: a key such as `constructor` must not find what every object has. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
