/** Several globs in one text, as the API takes them: commas separate them, but for those in braces or after a backslash. */

/** Each as one, whatever commas it has. */
export function joinGlobs(globs: readonly string[]): string {
  return globs
    .map((glob) => glob.replace(/\\.|\{[^}]*\}|,/gs, (part) => (part === ',' ? '\\,' : part)))
    .join(',');
}

export function splitGlobs(globs: string): string[] {
  return globs.match(/(?:\\.|\{[^}]*\}|[^,{]|\{)+/gs) ?? [];
}
