/** What the word `image` of a workspace means to microVMs. */
import { isAbsolute } from 'node:path';
import { BerthError } from '../../../../api/errors';

export type ImageReference =
  /** An OCI image layout: a folder or a tar; the name of one image in it. */
  | { kind: 'oci' | 'docker-archive'; path: string; name: string | undefined }
  /** A file that is an ext4 file system. */
  | { kind: 'disk'; path: string }
  /** In the container engine, in our own store, or in a registry. */
  | { kind: 'name'; name: string };

const prefixes = ['oci', 'docker-archive'] as const;

export function parseReference(image: string): ImageReference {
  for (const kind of prefixes) {
    if (image.startsWith(`${kind}:`)) {
      const { path, name } = splitName(image.slice(kind.length + 1));
      refuseRelative(image, path);
      return { kind, path, name };
    }
  }
  if (isAbsolute(image)) {
    return { kind: 'disk', path: image };
  }
  return { kind: 'name', name: image };
}

/** `/path:tag` and `/path:registry:5000/name:tag`: a name has no slash at its front, and what is before it has no colon. */
function splitName(text: string): { path: string; name: string | undefined } {
  const drive = /^[A-Za-z]:[\\/]/.test(text) ? 2 : 0;
  const colon = text.indexOf(':', drive);
  return colon < 0
    ? { path: text, name: undefined }
    : { path: text.slice(0, colon), name: text.slice(colon + 1) || undefined };
}

function refuseRelative(image: string, path: string): void {
  if (!isAbsolute(path)) {
    throw new BerthError('bad_request', `"${image}" names no absolute path.`, {
      field: 'image',
      hint: 'For example oci:/home/me/layout:tag or docker-archive:/home/me/image.tar.',
    });
  }
}
