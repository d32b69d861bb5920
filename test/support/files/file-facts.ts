/** What a file is beyond its bytes, read and set by Python: Node knows neither attributes nor holes. */
import { execFileSync } from 'node:child_process';

function python(script: string, ...args: string[]): string {
  return execFileSync('python3', ['-I', '-S', '-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
}

export function setAttribute(path: string, name: string, value: string | Buffer): void {
  const script = 'import os,sys\nos.setxattr(sys.argv[1],sys.argv[2],bytes.fromhex(sys.argv[3]))';
  python(script, path, name, Buffer.from(value).toString('hex'));
}

/** Of a file or folder: names to values in hexadecimal. */
export function attributesAt(path: string): Record<string, string> {
  const script = `import os,sys,json
p=sys.argv[1]
print(json.dumps({n:os.getxattr(p,n).hex() for n in sorted(os.listxattr(p))}))`;
  return JSON.parse(python(script, path)) as Record<string, string>;
}

/** A POSIX access control list as the kernel takes it: owner rw, user 12345 r, group r, mask rw, others none. */
export const accessList = Buffer.from(
  '02000000' +
    '01000600ffffffff' +
    '0200040039300000' +
    '04000400ffffffff' +
    '10000600ffffffff' +
    '20000000ffffffff',
  'hex',
);
