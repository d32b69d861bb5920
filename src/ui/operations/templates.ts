/** Texts of the engine that are looked up by what it says in English. */

/** Marks a text that has a translation; it is looked up when it is shown. */
export const t = (english: string): string => english;

/** The template that a text was made from, and what stands in it in place of `{0}`; undefined for what none made. */
export function filledIn(
  templates: readonly string[],
  english: string,
): readonly [template: string, filled: readonly string[]] | undefined {
  for (const template of templates) {
    const pattern = template.replace(/[.()?]/g, '\\$&').replace(/\{\d\}/g, '(.+?)');
    const found = new RegExp(`^${pattern}$`).exec(english);
    if (found !== null) return [template, found.slice(1)];
  }
  return undefined;
}
