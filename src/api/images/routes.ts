/** The part of the contract that is about images: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { ByImage, Flag, Nothing, Waiting } from '../common';
import { Image } from '../engine/schemas';
import { Operation } from '../operations/schemas';
import { RuntimeKind } from '../workspaces/schemas';

export const imageRoutes = {
  'images.list': {
    summary: 'Images that workspaces can use',
    tag: 'images',
    scope: 'read',
    response: Type.Array(Image),
  },
  'images.build': {
    summary: 'Build `workspace:latest`, and the tools or the kernel that all workspaces of that runtime need',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      {
        noCache: Type.Optional(Flag),
        toolsOnly: Type.Optional(Flag),
        runtime: Type.Optional(RuntimeKind),
      },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.pull': {
    summary: 'Pull an image from its registry',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      { image: Type.String({ minLength: 1, maxLength: 512 }), runtime: Type.Optional(RuntimeKind) },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.push': {
    summary: 'Push an image to the registry that its name says',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: ByImage,
    response: Operation,
  },
  'images.save': {
    summary: 'Write an image to a new file of this machine, as `docker load` takes it',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      { ...ByImage.properties, path: Type.String({ minLength: 1, maxLength: 4096 }) },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.remove': {
    summary: 'Remove an image that no workspace is made of',
    tag: 'images',
    scope: 'local',
    body: ByImage,
    response: Nothing,
  },
} as const;
