/** Small tars, made in memory. */
import tar from 'tar-stream';

export interface Member {
  name: string;
  mode: number;
  content: string | Buffer;
  uid?: number;
}

/** A tar of files, owned by root unless they say otherwise. */
export async function archiveOf(members: readonly Member[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { name, mode, content, uid = 0 } of members) {
    pack.entry({ name, mode, uid, gid: uid, mtime: new Date() }, content);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
