/** Names of images: `[registry/]repository[:tag|@digest]`. */

export interface ImageName {
  /** As the engine wants it in `fromImage`. */
  repository: string;
  /** A tag, or a digest with `sha256:`. */
  tag: string;
  /** Host (and port) of the registry; undefined for Docker Hub. */
  registry: string | undefined;
}

/** Without a tag the engine would pull every one there is: `latest` is meant. */
export function parseImageName(name: string): ImageName {
  const at = name.indexOf('@');
  const colon = name.lastIndexOf(':');
  // A colon before a slash belongs to the registry's port.
  const hasTag = at < 0 && colon > name.lastIndexOf('/');
  const cut = at >= 0 ? at : hasTag ? colon : name.length;
  const repository = name.slice(0, cut);
  const first = repository.split('/', 1)[0] ?? '';
  const isRegistry = repository.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const isHub = /^(index\.|registry-1\.)?docker\.io$/.test(first);
  return {
    repository,
    tag: cut === name.length ? 'latest' : name.slice(cut + 1),
    registry: isRegistry && !isHub ? first : undefined,
  };
}
