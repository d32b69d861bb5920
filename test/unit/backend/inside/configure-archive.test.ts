import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { configureArchive } from '../../../../src/backend/inside/configure-archive';
import type { InjectedFile } from '../../../../src/backend/drivers/driver';

async function members(tar: Buffer): Promise<Map<string, { mode: number; uid: number; content: Buffer }>> {
  const found = new Map<string, { mode: number; uid: number; content: Buffer }>();
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      chunks.push(Buffer.from(chunk as Buffer));
    }
    const { name, mode, uid } = entry.header;
    found.set(name, { mode, uid, content: Buffer.concat(chunks) });
  }
  return found;
}

const file = (target: string, mode = 0o644): InjectedFile => ({ target, mode, content: Buffer.from(target) });
const archive = (files: InjectedFile[], env: Record<string, string> = {}): Promise<Buffer> =>
  configureArchive({
    plan: { hostKey: 'KEY', authorizedKeys: ['a', 'b\n'], env, files },
    built: { LANG: 'C' },
  });

describe('what configure sends', () => {
  it('has keys and configuration with the modes that sshd insists on', async () => {
    const found = await members(await archive([]));
    assert.equal(found.get('host_key')?.mode, 0o600);
    assert.equal(found.get('host_key')?.content.toString(), 'KEY\n');
    assert.equal(found.get('authorized_keys')?.mode, 0o644);
    assert.equal(found.get('authorized_keys')?.content.toString(), 'a\nb\n');
    assert.equal(found.get('sshd_config')?.mode, 0o600);
    assert.match(found.get('sshd_config')?.content.toString() ?? '', /"LANG=C"/);
    assert.ok(!found.has('home.tar') && !found.has('root.tar'));
  });

  it('has the variables for everyone beside those of the user, without what may be a secret', async () => {
    const found = await members(await archive([], { LANG: 'C', SECRET: 's', PATH: '/of/a/secret' }));
    const [own, plain] = ['env', 'env-plain'].map((name) => found.get(name)!);
    assert.deepEqual([own!.mode, own!.uid, plain!.mode], [0o400, 1000, 0o444]);
    assert.match(own!.content.toString(), /^berth_set SECRET 's'$/m);
    assert.match(
      plain!.content.toString(),
      /^berth_set LANG 'C'\nberth_set PATH '\/usr\/local\/sbin:[^']*'\n$/,
    );
  });

  it('sorts files into those of the home and the others, and names the folders that they need', async () => {
    const files = ['/home/workspace/.ssh/id', '/workspace/a/b/c', '/opt/x/y', '/etc/z'].map((target) =>
      file(target),
    );
    const found = await members(await archive(files));
    const home = await members(found.get('home.tar')!.content);
    const root = await members(found.get('root.tar')!.content);
    assert.deepEqual([...home.keys()], ['.ssh/id', 'a/b/c']);
    assert.deepEqual([...root.keys()], ['opt/x/y', 'etc/z']);
    assert.equal(home.get('.ssh/id')?.uid, 1000);
    assert.equal(found.get('home-directories')?.content.toString(), '.ssh\na\na/b\n');
    assert.equal(found.get('directories')?.content.toString(), '/opt\n/opt/x\n/etc\n');
  });

  it('straightens paths, and refuses what is no file', async () => {
    const found = await members(await archive([file('/home/workspace/../../etc/passwd')]));
    assert.ok(found.has('root.tar'), 'an alias of another place is that place');
    for (const target of ['relative', '/', '/folder/', '/line\nbreak', '']) {
      await assert.rejects(archive([file(target)]), { code: 'bad_request' }, target);
    }
  });

  it('keeps long names and odd bytes', async () => {
    const target = `/home/workspace/${'long/'.repeat(60)}größe "x"`;
    const content = Buffer.from([0, 255, 10, 13]);
    const found = await members(await archive([{ target, mode: 0o600, content }]));
    const home = await members(found.get('home.tar')!.content);
    assert.deepEqual(home.get(target.slice('/home/workspace/'.length))?.content, content);
  });
});
