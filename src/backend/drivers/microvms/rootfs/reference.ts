/** What the word `image` of a workspace means to microVMs. */
import { isAbsolute } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { imageFile, type ImageScheme } from '../../../../api/rules/image-reference';

export type ImageReference =
  /** An OCI image layout: a folder or a tar; the name of one image in it. */
  | { kind: ImageScheme; path: string; name: string | undefined }
  /** A file that is an ext4 file system. */
  | { kind: 'disk'; path: string }
  /** In the container engine, in our own store, or in a registry. */
  | { kind: 'name'; name: string };

/** Whether an image is a file, a layout or a name. Throws `bad_request`. */
export function parseReference(image: string): ImageReference {
  const file = imageFile(image);
  if (file?.scheme !== undefined) {
    const { path, name } = splitName(file.path);
    refuseRelative(image, path);
    return { kind: file.scheme, path, name };
  }
  return file !== undefined && isAbsolute(image)
    ? { kind: 'disk', path: image }
    : { kind: 'name', name: image };
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
