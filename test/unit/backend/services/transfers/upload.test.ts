import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { OperationContext } from '../../../../../src/backend/services/operations/operation-context';
import { upload } from '../../../../../src/backend/services/transfers/upload';
import { TestContext } from '../../../../support/test-context';
import { TestVolume } from '../../files/agent/harness';

describe('an upload', function () {
  this.timeout(30_000);

  it('says that attributes stay behind where nobody can read them, with a count', async () => {
    const volume = await TestVolume.create();
    const local = mkdtempSync(join(tmpdir(), 'berth-upload-'));
    mkdirSync(join(local, 'in'));
    ['in/a', 'in/b'].forEach((name) => writeFileSync(join(local, name), 'x'));
    const warnings: string[] = [];
    const context: OperationContext = {
      signal: new AbortController().signal,
      progress: () => undefined,
      warn: (text) => void warnings.push(text),
      step: (_name, _title, run) => run(),
    };
    const plan = {
      ...{ fromVolume: undefined, toVolume: 'test', target: '/', move: false, policy: 'fail' as const },
      items: [{ source: join(local, 'in'), name: 'in' }],
    };
    await volume.channel();
    const { PATH } = process.env;
    process.env.PATH = join(local, 'nowhere');
    try {
      await upload(plan, volume.files, context);
    } finally {
      process.env.PATH = PATH;
      await volume.dispose();
      rmSync(local, { recursive: true });
    }
    assert.match(warnings.join('\n'), /^[^\n]*of 3 files and folders were copied.*no python3[^\n]*$/);
  });

  it('keeps the original of what did not arrive as a whole, also beside one with the beginning of its name', async () => {
    const volume = await TestVolume.create();
    const local = mkdtempSync(join(tmpdir(), 'berth-upload-'));
    const names = ['in', 'in2'];
    names.forEach((name) => mkdirSync(join(local, name)));
    execFileSync('mkfifo', [join(local, 'in2', 'pipe')]);
    const context: OperationContext = {
      signal: new AbortController().signal,
      progress: () => undefined,
      warn: () => undefined,
      step: (_name, _title, run) => run(),
    };
    const plan = {
      ...{ fromVolume: undefined, toVolume: 'test', target: '/', move: true, policy: 'fail' as const },
      items: names.map((name) => ({ source: join(local, name), name })),
    };
    try {
      const { failed } = await upload(plan, volume.files, context);
      assert.equal(failed.length, 1);
      assert.deepEqual(
        [existsSync(join(local, 'in')), existsSync(join(local, 'in2', 'pipe'))],
        [false, true],
      );
    } finally {
      await volume.dispose();
      rmSync(local, { recursive: true });
    }
  });

  it('removes nothing but what it has copied: what comes or changes meanwhile stays, and is named', async () => {
    const volume = await TestVolume.create();
    const local = mkdtempSync(join(tmpdir(), 'berth-upload-'));
    const at = (path: string): string => join(local, path);
    const put = (path: string, content: string): void => {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
    };
    ['in/a', 'in/deep/er/b', 'in/later/old', 'in/sub/c'].forEach((path) => put(path, 'copied'));
    linkSync(at('in/a'), at('in/other-name'));
    symlinkSync('a', at('in/link'));
    const context = new TestContext();
    context.onStep = (step) => {
      if (step === 'place') {
        put('in/sub/new', 'came meanwhile');
        put('in/later/old', 'changed meanwhile');
      }
    };
    const plan = {
      ...{ fromVolume: undefined, toVolume: 'test', target: '/', move: true, policy: 'fail' as const },
      items: [{ source: at('in'), name: 'in' }],
    };
    try {
      const { failed } = await upload(plan, volume.files, context);
      assert.deepEqual(failed.map(({ path, reason }) => [path, /: (.*)/.exec(reason)?.[1]]).sort(), [
        [at('in/later/old'), 'it has changed since'],
        [at('in/sub'), 'something has come into it since'],
      ]);
      const left = readdirSync(at('in'), { recursive: true });
      assert.deepEqual(left.sort(), ['later', 'later/old', 'sub', 'sub/new']);
      assert.equal(readFileSync(join(volume.root, 'in/later/old'), 'utf8'), 'copied');
    } finally {
      await volume.dispose();
      rmSync(local, { recursive: true });
    }
  });
});
