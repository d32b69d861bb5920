/**
 * What a workspace has outside of its volumes, addressed where volumes are: `rootfs@<workspace>`. No volume can have such
 * a name.
 */
const prefix = 'rootfs@';

export function rootFilesOf(workspace: string): string {
  return prefix + workspace;
}

/** The workspace whose root file system is meant; undefined for a volume. */
export function workspaceOfRoot(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
