/** The address of a VS Code page. */

export interface PageOptions {
  /** What the window opens; an empty window without either. */
  folder?: string;
  workspaceFile?: string;
  /** An extension to load from its directory, as F5 does. */
  extensionDevelopmentPath?: string;
  /** A module that exports `run()`. */
  extensionTestsPath?: string;
}

/** `origin` must be what the browser shows: the authority of the payload's URIs has to equal `location.host`. */
export function pageUrl(origin: string, options: PageOptions): string {
  const { host } = new URL(origin);
  const remote = (path: string): string => `vscode-remote://${host}${path}`;
  const payload: [string, string][] = [['skipWelcome', 'true']];
  const { extensionDevelopmentPath: extension, extensionTestsPath: tests } = options;
  if (extension) payload.push(['extensionDevelopmentPath', remote(extension)]);
  if (tests) payload.push(['extensionTestsPath', remote(tests)]);
  const query = new URLSearchParams({ payload: JSON.stringify(payload) });
  if (options.workspaceFile) query.set('workspace', options.workspaceFile);
  else if (options.folder) query.set('folder', options.folder);
  else query.set('ew', 'true');
  return `${origin}/?${query.toString()}`;
}
