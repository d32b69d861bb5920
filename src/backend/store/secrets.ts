/**
 * Secret environment values per workspace: AES-256-GCM, one random nonce each, the key in `keys/master.key`.
 * Write-only for the API; read only to start a runtime.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type, type Static } from '@sinclair/typebox';
import { BerthError } from '../../api/errors';
import { isErrno } from '../machine/files';
import { replaceFile } from '../machine/whole-file';
import { KeyedLock } from '../machine/keyed-lock';
import { readValue, writeRecord, type RecordFormat } from './records';
import type { StateDirectory } from './state-directory';
import { changeVariables } from './variables';

const Sealed = Type.Record(Type.String(), Type.Record(Type.String(), Type.String()));
type Sealed = Static<typeof Sealed>;
const Secrets = Type.Object({ workspaces: Sealed });
const format: RecordFormat<typeof Secrets> = {
  version: 1,
  schema: Secrets,
  migrations: [(workspaces) => ({ workspaces })],
  beganUnversioned: true,
  keepsNoCopy: true,
};

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export class SecretStore {
  private readonly lock = new KeyedLock();

  constructor(private readonly state: StateDirectory) {}

  /** Adds or replaces values, null takes one away; the others of the workspace stay. Answers all names. */
  async put(workspace: string, values: Readonly<Record<string, string | null>>): Promise<string[]> {
    return this.change(async (sealed) => {
      const key = await this.key();
      const changed = Object.entries(values).map(([name, value]) => [
        name,
        value === null ? null : seal(key, `${workspace}/${name}`, value),
      ]);
      const patch = Object.fromEntries(changed) as Record<string, string | null>;
      const own = changeVariables(sealed[workspace] ?? {}, patch, 'secrets');
      return [{ ...sealed, [workspace]: own }, Object.keys(own).sort()];
    });
  }

  /** Those of the names, which the workspace's record has, that are there: what no record names is nobody's. */
  async values(workspace: string, names: readonly string[]): Promise<Record<string, string>> {
    const own = Object.entries((await this.read())[workspace] ?? {}).filter(([name]) => names.includes(name));
    if (own.length === 0) {
      return {};
    }
    const key = await this.key();
    const opened = own.map(([name, value]) => [name, open(key, `${workspace}/${name}`, value)]);
    return Object.fromEntries(opened) as Record<string, string>;
  }

  async forget(workspace: string): Promise<void> {
    await this.change((sealed) => {
      const { [workspace]: gone, ...rest } = sealed;
      return Promise.resolve([gone === undefined ? undefined : rest, undefined]);
    });
  }

  private change<T>(edit: (sealed: Sealed) => Promise<[Sealed | undefined, T]>): Promise<T> {
    return this.lock.run('secrets', async () => {
      const [next, answer] = await edit(await this.read());
      if (next !== undefined) {
        await writeRecord(this.state.secrets, format, { workspaces: next });
      }
      return answer;
    });
  }

  /** A damaged file is set aside: workspaces that miss a secret say so when they start. */
  private async read(): Promise<Sealed> {
    const read = await readValue(this.state.secrets, format);
    return read?.workspaces ?? {};
  }

  private async key(): Promise<Buffer> {
    try {
      return await readFile(this.state.masterKey);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) {
        throw error;
      }
      const key = randomBytes(keyBytes);
      await replaceFile(this.state.masterKey, key);
      return key;
    }
  }
}

function seal(key: Buffer, context: string, value: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

function open(key: Buffer, context: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes)).setAAD(
      Buffer.from(context),
    );
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    const rest = bytes.subarray(nonceBytes + tagBytes);
    return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new BerthError('internal', `The secret ${context} can't be decrypted.`, {
      hint: 'Its key file was changed: set the secret again.',
      cause: error,
    });
  }
}
