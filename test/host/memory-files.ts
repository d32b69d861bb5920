/** A file system of VS Code as a remote window has one: only VS Code reaches it, and it tells its links. */
import * as vscode from 'vscode';

const { Directory, File, SymbolicLink, Unknown } = vscode.FileType;

/** A folder's entries by name, a file's content, or a link. */
export type Thing = { [name: string]: Thing } | string | Link;

export class Link {
  constructor(readonly to: 'file' | 'folder' | 'nothing') {}
}

export class MemoryFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;
  private readonly registration: vscode.Disposable;

  constructor(
    readonly scheme: string,
    readonly root: { [name: string]: Thing },
    /** Paths that can't be read. */
    private readonly closed: readonly string[] = [],
  ) {
    this.registration = vscode.workspace.registerFileSystemProvider(scheme, this);
  }

  uri(path: string): vscode.Uri {
    return vscode.Uri.from({ scheme: this.scheme, path });
  }

  dispose(): void {
    this.registration.dispose();
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const thing = this.at(uri);
    return { type: typeOf(thing), ctime: 0, mtime: 0, size: typeof thing === 'string' ? thing.length : 0 };
  }

  readDirectory(uri: vscode.Uri): [string, vscode.FileType][] {
    if (this.closed.includes(uri.path)) throw vscode.FileSystemError.NoPermissions(uri);
    return Object.entries(this.folder(uri)).map(([name, thing]) => [name, typeOf(thing)]);
  }

  readFile(uri: vscode.Uri): Uint8Array {
    const thing = this.at(uri);
    return Buffer.from(typeof thing === 'string' ? thing : 'through a link');
  }

  writeFile(uri: vscode.Uri, content: Uint8Array): void {
    this.folder(parentOf(uri))[nameOf(uri)] = Buffer.from(content).toString('latin1');
  }

  createDirectory(uri: vscode.Uri): void {
    this.folder(parentOf(uri))[nameOf(uri)] ??= {};
  }

  delete(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  rename(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  private folder(uri: vscode.Uri): { [name: string]: Thing } {
    const thing = this.at(uri);
    if (typeof thing === 'string' || thing instanceof Link)
      throw vscode.FileSystemError.FileNotADirectory(uri);
    return thing;
  }

  private at(uri: vscode.Uri): Thing {
    let found: Thing = this.root;
    for (const name of uri.path.split('/').filter(Boolean)) {
      const below: Thing | undefined =
        typeof found === 'string' || found instanceof Link ? undefined : found[name];
      if (below === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      found = below;
    }
    return found;
  }
}

function typeOf(thing: Thing): vscode.FileType {
  if (thing instanceof Link) {
    return SymbolicLink | { file: File, folder: Directory, nothing: Unknown }[thing.to];
  }
  return typeof thing === 'string' ? File : Directory;
}

const nameOf = (uri: vscode.Uri): string => uri.path.slice(uri.path.lastIndexOf('/') + 1);
const parentOf = (uri: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(uri, '..');
