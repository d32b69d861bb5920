/**
 * Text of files and of others, for lists of VS Code: these draw `$(name)` as an icon, or as nothing, which is code of
 * jQuery and of shells as well. A backslash before it keeps it as text (`escapeIcons` in VS Code's iconLabels.ts).
 */
export function plainLabel(text: string): string {
  return text.replace(/\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/g, '\\$&');
}

/** The same for the message of a view, in which VS Code makes links and buttons of `[text](address)`, commands too. */
export function plainMessage(text: string): string {
  return text.replaceAll('](', '] (');
}

/** With `?` for what starts a line, drives something, or turns the direction of text around. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '?');
}
