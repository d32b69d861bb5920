/** Texts of the engine that are looked up by what it says in English. */

/** Marks a text that has a translation; it is looked up when it is shown. */
export const t = (english: string): string => english;

/** By template, and what may stand in it: progress is looked up many times a second. */
const patterns = new Map<string, RegExp>();

function patternOf(template: string, value: string): RegExp {
  const key = `${value} ${template}`;
  const known = patterns.get(key);
  if (known !== undefined) return known;
  const pattern = template.replace(/[.()?]/g, '\\$&').replace(/\{\d\}/g, `(${value})`);
  const made = new RegExp(`^${pattern}$`);
  patterns.set(key, made);
  return made;
}

/**
 * The template that a text was made from, and what stands in it in place of `{0}`; undefined for what none made. `value`: what
 * may stand there, as a regular expression.
 */
export function filledIn(
  templates: readonly string[],
  english: string,
  value = '.+?',
): readonly [template: string, filled: readonly string[]] | undefined {
  for (const template of templates) {
    const found = patternOf(template, value).exec(english);
    if (found !== null) return [template, found.slice(1)];
  }
  return undefined;
}
