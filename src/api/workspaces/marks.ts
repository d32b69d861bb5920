/** What people mark workspaces with, to find them again and to keep them. */
import { Type } from '@sinclair/typebox';
import { maxTags, tagPattern } from '../rules/names';

export const Tags = Type.Array(Type.String({ pattern: tagPattern }), {
  maxItems: maxTags,
  description:
    'Words by which it is found: lowercase letters, digits, dots, hyphens and underscores, at most 32 characters.',
});

export const Protected = Type.Boolean({
  description: 'Archive, rebuild and delete are refused until it is false.',
});

export const Favourite = Type.Boolean({ description: 'It is shown before the others.' });
