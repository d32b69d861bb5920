/** Paths as they were typed: the engine knows `/q` of a volume, people wrote `demo:data/q`. */
import { asBerthError, BerthError, type Operation } from '../api';
import { quote } from '../api/rules/volume-path';

interface Typed {
  path: string;
  text: string;
}

/** What the paths of one command line are for the engine. */
export class TypedPaths {
  private readonly names: Typed[] = [];

  /** Forgets all: what comes is about another one, which may have the same path elsewhere. */
  clear(): void {
    this.names.length = 0;
  }

  /** `path`, of a volume or of this machine, was typed so. */
  add(path: string, text: string): void {
    const plain = text.replace(/(?<=[^:/])\/+\.?$/, '').replace(/(?<=[:/])\.$/, '');
    this.names.push({ path, text: plain });
  }

  /** Such a path in the words of who typed one that it is, is in, or is on the way to; itself where those are none, or two. */
  typed(path: string): string {
    const found = this.names.flatMap((name) => inWordsOf(name, path));
    const shared = Math.max(...found.map((each) => each.shared));
    const texts = new Set(found.filter((each) => each.shared === shared).map(({ text }) => text));
    const [text] = texts;
    return texts.size === 1 && text !== undefined ? text : path;
  }

  /** A message of the engine, which quotes paths. */
  inMessage(message: string): string {
    return message.replace(/"\/(?:[^"\\]|\\.)*"/g, (quoted) => {
      const path = unquoted(quoted);
      return path === undefined ? quoted : quote(this.typed(path));
    });
  }

  /** The same error, whose message names paths as they were typed. */
  inError(error: unknown): BerthError {
    const failure = asBerthError(error);
    const { code, message, hint, field, remedy } = failure;
    return new BerthError(code, this.inMessage(message), {
      cause: error,
      ...(hint !== undefined && { hint }),
      ...(field !== undefined && { field }),
      ...(remedy !== undefined && { remedy }),
    });
  }

  /** Rejects with the errors of the work, in those words. */
  async during<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw error instanceof BerthError ? this.inError(error) : error;
    }
  }

  /** The same operation, whose steps name paths as they were typed. */
  inOperation(operation: Operation): Operation {
    return {
      ...operation,
      steps: operation.steps.map(({ message, ...step }) => ({
        ...step,
        ...(message !== undefined && { message: this.inMessage(message) }),
      })),
    };
  }
}

/** `shared`: how much of the two is the same. */
function inWordsOf({ path: known, text }: Typed, path: string): { shared: number; text: string }[] {
  if (path === known) {
    return [{ shared: path.length + 1, text }];
  }
  const folder = known.replace(/\/$/, '');
  if (path.startsWith(`${folder}/`)) {
    const rest = path.slice(folder.length + 1);
    return [{ shared: folder.length, text: /[:/]$/.test(text) ? text + rest : `${text}/${rest}` }];
  }
  const below = path === '/' ? known : known.slice(path.length);
  return known.startsWith(path) && below.startsWith('/') && text.endsWith(below)
    ? [{ shared: path.length, text: text.slice(0, -below.length) }]
    : [];
}

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
