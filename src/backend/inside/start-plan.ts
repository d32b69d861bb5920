/** What a workspace gets inside with every start, whatever runs it. */

export interface InjectedFile {
  /** Absolute path in the runtime. */
  target: string;
  mode: number;
  content: Buffer;
}

/** What is put into a runtime on every start: held in its memory only, never in image or volume where that can be. */
export interface StartPlan {
  /** OpenSSH private key of the host, and the public keys that may log in. */
  hostKey: string;
  authorizedKeys: readonly string[];
  /** Visible in every login: spec and secrets. */
  env: Readonly<Record<string, string>>;
  files: readonly InjectedFile[];
}
