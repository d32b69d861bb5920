/**
 * Loads and activates the bundle named in argv with a stand-in for the API of VS Code, and prints the times.
 * The stand-in answers every name: what is measured is our own code, not the editor's.
 */
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';

type Loader = { _load: (request: string, ...rest: unknown[]) => unknown };

/** Whatever is asked of it: a function, a class, an object with every property; what was set is kept. */
function anything(
  own: object = function (): undefined {
    return undefined;
  },
): unknown {
  const known = new Map<string | symbol, unknown>();
  return new Proxy(own, {
    get: (target, key, receiver) => {
      if (key === 'then' || key === Symbol.iterator || key === Symbol.asyncIterator) {
        return undefined;
      }
      if (key === Symbol.toPrimitive) {
        return () => '';
      }
      if (!known.has(key)) {
        known.set(key, key in target ? (Reflect.get(target, key, receiver) as unknown) : anything());
      }
      return known.get(key);
    },
    set: (_, key, value) => {
      known.set(key, value);
      return true;
    },
    apply: () => anything(),
    // A subclass keeps its own methods.
    construct: (_, __, newTarget) =>
      anything(Object.create(Reflect.get(newTarget, 'prototype') as object) as object) as object,
  });
}

const vscode = anything();
const modules = Module as unknown as Loader;
const load = modules._load;
modules._load = (request, ...rest) => (request === 'vscode' ? vscode : load.call(Module, request, ...rest));

interface Extension {
  activate(context: unknown): unknown;
}

async function run(bundle: string): Promise<void> {
  const begun = performance.now();
  const extension = createRequire(__filename)(bundle) as Extension;
  const loaded = performance.now();
  await extension.activate({
    subscriptions: [],
    extensionPath: tmpdir(),
    extensionUri: anything(),
    extension: { packageJSON: { version: '0.0.0' } },
    globalState: { get: () => undefined, update: () => Promise.resolve(), setKeysForSync: () => undefined },
    workspaceState: { get: () => undefined, update: () => Promise.resolve() },
    secrets: { get: () => Promise.resolve(undefined), onDidChange: anything() },
    asAbsolutePath: (path: string) => path,
    logUri: anything(),
    globalStorageUri: anything(),
  });
  const activated = performance.now();
  process.stdout.write(JSON.stringify({ load: loaded - begun, activate: activated - loaded }), () =>
    process.exit(0),
  );
}

void run(process.argv[2] ?? '');
