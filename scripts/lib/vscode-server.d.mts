/** Types of vscode-server.mjs, for the tests. */
export interface VsCodeHost {
  node: string;
  server: string;
}

export interface ServerOptions {
  host: VsCodeHost;
  /** Gets `data` (user data, settings) and `exts` (installed extensions). */
  directory: string;
  /** What the URL must carry; none means that anybody on this machine may connect. */
  token?: string;
  /** Default: any free one. */
  port?: number;
  /** Added to ours; reaches extensions and tests. */
  env?: Record<string, string>;
  settings?: Record<string, unknown>;
  /** Write settings only where there are none yet. */
  keepSettings?: boolean;
  extraFlags?: string[];
  /** Extensions to install before the start. */
  vsix?: string | string[];
}

export interface VsCodeServer {
  port: number;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** With the token, if there is one. */
  url: string;
  pid: number;
  /** The last part of what it printed. */
  log(): string;
  exited: Promise<unknown>;
  /** Ends it with all its children; safe to call again. */
  stop(): Promise<void>;
}

export const QUIET_SETTINGS: Record<string, unknown>;
export function startVsCodeServer(options: ServerOptions): Promise<VsCodeServer>;
