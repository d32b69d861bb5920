/**
 * Stands in for VS Code, so that what imports `vscode` can be tested in plain Node. Import this before the code under test.
 * It answers as a test says and records what the code asked for; how a real window behaves is the matter of test/ui and test/host.
 */
import Module from 'node:module';
import { URI, Utils } from 'vscode-uri';
import { Signal } from '../../../src/ui/signal';
import { ShownInput } from './inputs';

/** A message, with its buttons. */
export interface ShownMessage {
  kind: 'info' | 'warning' | 'error';
  text: string;
  detail?: string;
  buttons: string[];
}

export interface PickItem {
  iconPath?: unknown;
  label: string;
  description?: string;
}

interface Setting {
  globalValue?: unknown;
  globalLocalValue?: unknown;
  globalRemoteValue?: unknown;
}

interface Token {
  onCancellationRequested: (listener: () => void) => void;
}

/** What a test sets up, and what it finds recorded. */
class StandIn {
  /** The button that is pressed; undefined closes the message. */
  pressed: (message: ShownMessage) => string | undefined = () => undefined;
  /** The item that is chosen; undefined closes the list. */
  chosen: (items: readonly PickItem[]) => PickItem | undefined = () => undefined;
  /** What is entered into an input box; undefined closes it. */
  entered: (question: { value?: string }) => string | undefined = () => undefined;
  /** What is chosen in the file dialogs; undefined closes them. */
  folder: string | undefined;
  /** A text in the language of the window, with the places for its values. */
  translated: (text: string) => string = (text) => text;
  extensions = new Set<string>();
  remoteName: string | undefined;
  uiKind = 1;
  /** By full name, as `remote.SSH.configFile`. */
  settings = new Map<string, Setting>();
  /** The folders that exist; every other path is a file. */
  folders = new Set<string>();
  /** What commands of VS Code do, by id. */
  effects = new Map<string, () => void>();
  /** Presses Cancel in the progress notification that is open. */
  cancelProgress: () => void = () => undefined;

  clipboard = '';

  readonly messages: ShownMessage[] = [];
  /** What was typed into terminals. */
  readonly typed: { line: string; isRun: boolean }[] = [];
  readonly inputs: ShownInput[] = [];
  readonly statusBar: string[] = [];
  /** What input boxes held at first. */
  readonly proposed: string[] = [];
  readonly executed: unknown[][] = [];
  readonly progress: { title: string; reports: { message?: string; increment?: number }[] }[] = [];
  readonly registered = new Map<string, (...args: unknown[]) => Promise<void>>();

  /** As it was before any test. */
  reset(): void {
    const { messages, typed, inputs, statusBar, proposed, executed, progress, registered, ...initial } =
      new StandIn();
    Object.assign(this, initial);
    for (const list of [
      this.messages,
      this.typed,
      this.inputs,
      this.statusBar,
      this.proposed,
      this.executed,
      this.progress,
    ]) {
      list.splice(0);
    }
    this.registered.clear();
  }
}

export const standIn = new StandIn();

class Disposable {
  constructor(readonly dispose: () => void) {}

  static from(...all: { dispose(): void }[]): Disposable {
    return new Disposable(() => all.forEach((each) => each.dispose()));
  }
}

class EventEmitter<T> {
  private readonly signal = new Signal<T>();
  readonly event = this.signal.on;
  readonly fire = (value: T): void => this.signal.fire(value);
  readonly dispose = (): void => undefined;
}

class ThemeIcon {
  static readonly File = new ThemeIcon('file');
  static readonly Folder = new ThemeIcon('folder');

  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}

class ThemeColor {
  constructor(readonly id: string) {}
}

class MarkdownString {
  constructor(public value = '') {}

  appendMarkdown(text: string): this {
    this.value += text;
    return this;
  }

  readonly appendText = (text: string): this => this.appendMarkdown(text);
}

class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState = 0,
  ) {}
}

class Range {
  constructor(
    readonly startLine: number,
    readonly startCharacter: number,
    readonly endLine: number,
    readonly endCharacter: number,
  ) {}
}

class FileDecoration {
  constructor(
    readonly badge?: string,
    readonly tooltip?: string,
  ) {}
}

class FileSystemError extends Error {
  constructor(
    message?: string,
    readonly code = 'Unknown',
  ) {
    super(message);
  }

  static readonly FileNotFound = ofCode('FileNotFound');
  static readonly FileExists = ofCode('FileExists');
  static readonly NoPermissions = ofCode('NoPermissions');
  static readonly Unavailable = ofCode('Unavailable');
}

function ofCode(code: string) {
  return (what: string | URI) => new FileSystemError(String(what), code);
}

const formatted = (text: string, ...values: unknown[]): string =>
  standIn
    .translated(text)
    .replace(/\{(\d+)\}/g, (place, index: string) =>
      Number(index) < values.length ? String(values[Number(index)]) : place,
    );

function show(kind: ShownMessage['kind']) {
  return (text: string, ...rest: (string | { detail?: string })[]): Promise<string | undefined> => {
    const [first] = rest;
    const detail = typeof first === 'object' ? first.detail : undefined;
    const buttons = rest.filter((each) => typeof each === 'string');
    const message = { kind, text, buttons, ...(detail !== undefined && { detail }) };
    standIn.messages.push(message);
    return Promise.resolve(standIn.pressed(message));
  };
}

function createInput(): ShownInput {
  const input = new ShownInput();
  standIn.inputs.push(input);
  return input;
}

async function withProgress(
  { title }: { title: string },
  work: (progress: { report: (value: object) => void }, token: Token) => Promise<unknown>,
): Promise<unknown> {
  const shown = { title, reports: [] as object[] };
  standIn.progress.push(shown);
  const token: Token = {
    onCancellationRequested: (listener) => (standIn.cancelProgress = listener),
  };
  return work({ report: (value) => shown.reports.push(value) }, token);
}

const configuration = (section: string): object => ({
  inspect: (key: string) => standIn.settings.get(`${section}.${key}`) ?? {},
  get: (key: string) => standIn.settings.get(`${section}.${key}`)?.globalValue,
  update: (key: string, globalValue: unknown) => {
    standIn.settings.set(`${section}.${key}`, { globalValue });
    return Promise.resolve();
  },
});

const vscode = {
  __esModule: true,
  Disposable,
  EventEmitter,
  ThemeIcon,
  ThemeColor,
  MarkdownString,
  TreeItem,
  Range,
  FileSystemError,
  Uri: Object.assign(URI, { joinPath: Utils.joinPath }),
  ConfigurationTarget: { Global: 1 },
  ExtensionKind: { UI: 1, Workspace: 2 },
  FileChangeType: { Changed: 1, Created: 2, Deleted: 3 },
  FilePermission: { Readonly: 1 },
  FileType: { Unknown: 0, File: 1, Directory: 2, SymbolicLink: 64 },
  ProgressLocation: { Notification: 15 },
  FileDecoration,
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  ViewColumn: { Active: -1, Beside: -2 },
  UIKind: { Desktop: 1, Web: 2 },
  QuickInputButtons: { Back: {} },
  l10n: { t: formatted },
  window: {
    showInformationMessage: show('info'),
    showWarningMessage: show('warning'),
    showErrorMessage: show('error'),
    showInputBox: (question: { value?: string }) => {
      standIn.proposed.push(question.value ?? '');
      return Promise.resolve(standIn.entered(question));
    },
    createInputBox: createInput,
    createQuickPick: createInput,
    showQuickPick: (items: readonly PickItem[]) => Promise.resolve(standIn.chosen(items)),
    showOpenDialog: () =>
      Promise.resolve(standIn.folder === undefined ? undefined : [URI.file(standIn.folder)]),
    showSaveDialog: () =>
      Promise.resolve(standIn.folder === undefined ? undefined : URI.file(standIn.folder)),
    registerFileDecorationProvider: () => new Disposable(() => undefined),
    setStatusBarMessage: (text: string) => void standIn.statusBar.push(text),
    withProgress,
    registerTerminalProfileProvider: () => new Disposable(() => undefined),
    createTerminal: () => ({
      show: () => undefined,
      sendText: (line: string, isRun: boolean) => void standIn.typed.push({ line, isRun }),
    }),
  },
  commands: {
    executeCommand: (...command: unknown[]) => {
      standIn.executed.push(command);
      standIn.effects.get(String(command[0]))?.();
      return Promise.resolve();
    },
    registerCommand: (id: string, handler: (...args: unknown[]) => Promise<void>) => {
      standIn.registered.set(id, handler);
      return new Disposable(() => standIn.registered.delete(id));
    },
  },
  env: {
    appName: 'Visual Studio Code',
    language: 'en',
    get remoteName() {
      return standIn.remoteName;
    },
    get uiKind() {
      return standIn.uiKind;
    },
    openExternal: () => Promise.resolve(true),
    clipboard: { writeText: (text: string) => Promise.resolve(void (standIn.clipboard = text)) },
    asExternalUri: (uri: URI) => Promise.resolve(uri),
  },
  extensions: {
    getExtension: (id: string) => (standIn.extensions.has(id) ? { id } : undefined),
  },
  workspace: {
    getConfiguration: configuration,
    onDidChangeConfiguration: () => new Disposable(() => undefined),
    textDocuments: [],
    registerTextDocumentContentProvider: () => new Disposable(() => undefined),
    registerFileSystemProvider: () => new Disposable(() => undefined),
    fs: {
      stat: ({ path }: URI) =>
        Promise.resolve({ type: path === '/' || standIn.folders.has(path) ? 2 : 1, size: 0 }),
      readFile: ({ path }: URI) => Promise.resolve(Buffer.from(JSON.stringify(path))),
    },
  },
};

/** `vscode` is no package on the disk: VS Code answers for it at the same place. */
const load: unknown = Reflect.get(Module, '_load');
if (typeof load !== 'function') {
  throw new Error(
    'This Node loads modules in another way: test/support/vscode/stand-in.ts knows nothing of it.',
  );
}
Reflect.set(Module, '_load', function (request: string, ...rest: unknown[]): unknown {
  const loaded: unknown = request === 'vscode' ? vscode : Reflect.apply(load, Module, [request, ...rest]);
  return loaded;
});
