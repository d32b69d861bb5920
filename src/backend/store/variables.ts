/** Changes to named values: environment and secrets. */
import { BerthError } from '../../api/errors';
import { maxVariables } from '../../api/workspaces/schemas';

/**
 * What is not named stays, null takes one away; `field` is named when there would be too many. Throws `bad_request`.
 */
export function changeVariables(
  before: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>>,
  field: string,
): Record<string, string> {
  const merged = new Map<string, string | null>(Object.entries({ ...before, ...patch }));
  const after: Record<string, string> = Object.fromEntries(
    [...merged].flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
  const count = Object.keys(after).length;
  if (count > maxVariables && count > Object.keys(before).length) {
    throw new BerthError(
      'bad_request',
      `"${field}" would have ${count} names: ${maxVariables} is the most.`,
      {
        field,
        hint: 'Take some away first: null in the place of a value does.',
      },
    );
  }
  return after;
}
