/**
 * Names of images: the grammar of distribution/reference, `[registry/]path[:tag][@digest]`. The one parser of them, for
 * clients and the engine: a name that it does not take never becomes part of an address.
 */
import { BerthError } from '../errors';
import type { RuntimeKind } from '../workspaces/schemas';

export interface ImageName {
  /** With its registry, without tag and digest. */
  repository: string;
  /** Host (and port) of the registry; undefined for Docker Hub. */
  registry: string | undefined;
  /** Of the repository in its registry. */
  path: string;
  tag: string | undefined;
  /** `sha256:…`. */
  digest: string | undefined;
}

const maxRepository = 255;
const shown = 80;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const hostPart = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const host = `(?:${hostPart}(?:\\.${hostPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?`;
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const hostPattern = new RegExp(`^${host}$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const hubPattern = /^(index\.|registry-1\.)?docker\.io$/;
/** In front of the path of a folder or file that has images in it. */
const schemes = ['oci', 'docker-archive'] as const;
export type ImageScheme = (typeof schemes)[number];
const pathFront = /^(?:[./~\\]|[A-Za-z]:[\\/])/;

/** Undefined for what is no name of an image. */
export function parseImageName(text: string): ImageName | undefined {
  // Longer than any: nothing is tried on it.
  if (text.length > maxRepository + 256) {
    return undefined;
  }
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.lastIndexOf(':');
  // A colon before a slash belongs to the registry's port.
  const hasTag = colon > named.lastIndexOf('/');
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const { domain, path } = splitDomain(repository);
  const isName =
    more.length === 0 &&
    repository.length <= maxRepository &&
    pathPattern.test(path) &&
    (domain === undefined || hostPattern.test(domain)) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  const registry = domain !== undefined && hubPattern.test(domain) ? undefined : domain;
  return isName ? { repository, registry, path, tag, digest } : undefined;
}

/** The first part is a host when it has a dot or a port: as Docker decides. One in capitals is a spelling mistake. */
function splitDomain(repository: string): { domain: string | undefined; path: string } {
  const slash = repository.indexOf('/');
  const first = repository.slice(0, Math.max(slash, 0));
  return /[.:]/.test(first) || first === 'localhost'
    ? { domain: first, path: repository.slice(slash + 1) }
    : { domain: undefined, path: repository };
}

/** The same; throws `bad_request` with the field. */
export function imageName(text: string, field = 'image'): ImageName {
  const name = parseImageName(text);
  if (name === undefined) {
    throw new BerthError('bad_request', `${quoted(text)} is not the name of an image.`, {
      field,
      hint: 'For example debian:bookworm-slim or registry.example/group/name:tag, in lower case.',
    });
  }
  return name;
}

/** A digest, a tag, or the tag that is meant where nothing is said. */
export function versionOf({ tag, digest }: ImageName): string {
  return digest ?? tag ?? 'latest';
}

/** With the tag that is meant where nothing is said. */
export function withTag(text: string): string {
  const { repository, tag, digest } = imageName(text);
  return tag === undefined && digest === undefined ? `${repository}:latest` : text;
}

/** Berth's own: built here, never pulled. */
export const workspaceImage = 'workspace:latest';

/** Whether it means the base image of Berth, with or without its tag. */
export function isWorkspaceImage(text: string): boolean {
  return parseImageName(text) !== undefined && withTag(text) === workspaceImage;
}

/** Of a registry: for microVMs where no container engine can build Berth's own. */
export const pulledImage = 'debian:12';

export interface ImageByDefault {
  runtime: RuntimeKind;
  /** What the settings say. */
  wanted: string;
  isThere: boolean;
  /** A container engine answers, which can build Berth's own. */
  canBuild: boolean;
}

/** What a workspace is made of where no image was named. */
export function imageByDefault({ runtime, wanted, isThere, canBuild }: ImageByDefault): string {
  return runtime === 'microvm' && isWorkspaceImage(wanted) && !isThere && !canBuild ? pulledImage : wanted;
}

/** It can be had from a registry, or only where it was made. */
export function imageMissing(image: string): BerthError {
  return isWorkspaceImage(image)
    ? new BerthError('image_missing', `The workspace image '${workspaceImage}' is not built yet.`, {
        hint: 'Build it: `berth image build`.',
        field: 'image',
      })
    : new BerthError('image_missing', `Image '${image}' is not on this machine.`, {
        hint:
          imageFile(image) === undefined
            ? `Pull it: \`berth image pull ${image}\`. If it was made on this machine, build or commit it again.`
            : 'Look at the path.',
        field: 'image',
      });
}

/**
 * What is said to be a path: images in a folder or file, or a file system. Undefined for what can be a name:
 * `oci:latest` and `oci:5000/x` are names, `oci:/x` and `oci:./x` none.
 */
export function imageFile(text: string): { scheme: ImageScheme | undefined; path: string } | undefined {
  if (parseImageName(text) !== undefined) {
    return undefined;
  }
  const scheme = schemes.find((each) => text.startsWith(`${each}:`));
  const path = scheme === undefined ? text : text.slice(scheme.length + 1);
  return scheme !== undefined || pathFront.test(path) ? { scheme, path } : undefined;
}

/** What a workspace of that kind can be made of; throws `bad_request` with the field. */
export function checkImage(image: string, runtime: RuntimeKind, field = 'image'): void {
  if (imageFile(image) === undefined) {
    imageName(image, field);
  } else if (runtime === 'container') {
    throw new BerthError('bad_request', `${quoted(image)} is an image for microVMs.`, {
      field,
      hint: 'Create or run a microVM of it (`--runtime microvm`), or name an image, for example debian:bookworm-slim.',
    });
  }
}

/** Of any length, with any character. */
function quoted(text: string): string {
  return JSON.stringify(text.length > shown ? `${text.slice(0, shown)}…` : text);
}
