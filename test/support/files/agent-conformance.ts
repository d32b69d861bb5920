/**
 * What every agent answers, whatever it is written in and whatever is below it: the agent in Python on mounted files
 * (images/tools/agent) and the one for images of stopped machines (src/backend/files/disk) keep one protocol.
 */
import { contentCases } from './agents/content';
import { moveCases } from './agents/moves';
import { nameCases } from './agents/names';
import type { Rooms } from './agents/room';
import { searchCases } from './agents/searching';
import { treeCases } from './agents/trees';
import { uploadCases } from './agents/uploads';
import { watchCases } from './agents/watching';

/** Defines the cases; each has a volume of its own. */
export function agentKeepsProtocol(rooms: Rooms): void {
  describe('content', () => contentCases(rooms));
  describe('moves', () => moveCases(rooms));
  describe('names', () => nameCases(rooms));
  describe('searching', () => searchCases(rooms));
  describe('trees', () => treeCases(rooms));
  describe('uploads', () => uploadCases(rooms));
  describe('watching', () => watchCases(rooms));
}
