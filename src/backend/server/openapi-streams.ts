/** What the OpenAPI document says of routes that stream, by their operation ids. */
import { Type } from '@sinclair/typebox';
import { CompareEvent } from '../../api/files/compare';
import { FindEvent } from '../../api/files/find';
import { FileChange, FileEntry } from '../../api/files/schemas';
import { ImportResult } from '../../api/workspaces/export';
import { AttachInput, AttachOutput, AttachStart, EngineEvent } from '../../api/stream-schemas';

const binary = Type.String({ format: 'binary' });

function answer(type: string, description: string, schema: object = binary) {
  return { 200: { description, content: { [type]: { schema } } } };
}

export const streamDocs: Readonly<Record<string, object>> = {
  events: {
    description:
      'Stays open. Each event has an increasing id; with `Last-Event-ID` come those that were missed, or one ' +
      '`reset` where they are no longer known: then load all anew.',
    parameters: [
      {
        ...{ in: 'header', name: 'Last-Event-ID', required: false },
        schema: { type: 'integer', minimum: 0 },
      },
    ],
    responses: answer(
      'text/event-stream',
      'Server-sent events; the schema is that of their data.',
      EngineEvent,
    ),
  },
  'files.read': {
    responses: answer('application/octet-stream', 'The bytes.'),
  },
  'files.write': {
    requestBody: { required: true, content: { 'application/octet-stream': { schema: binary } } },
    responses: answer('application/json', 'The file as it is now.', FileEntry),
  },
  'files.archive': {
    responses: answer('application/x-tar', 'The archive.'),
  },
  'files.watch': {
    responses: answer(
      'text/event-stream',
      'Server-sent events, until the client goes; the schema is that of their data.',
      Type.Array(FileChange),
    ),
  },
  'files.find': {
    responses: answer(
      'text/event-stream',
      'Server-sent events; the schema is that of their data. The last one is `end` or `error`.',
      FindEvent,
    ),
  },
  'files.compare': {
    responses: answer(
      'text/event-stream',
      'Server-sent events; the schema is that of their data. The last one is `end` or `error`.',
      CompareEvent,
    ),
  },
  'workspaces.logs': {
    responses: answer('text/plain', 'Lines; with `follow` until the client goes.', Type.String()),
  },
  'workspaces.lease': {
    responses: answer(
      'text/event-stream',
      'Stays open and says nothing: a temporary workspace is deleted some seconds after its last lease has gone.',
    ),
  },
  'workspaces.export': {
    description:
      'The header `berth-operation` is the id of the operation, which is cancelled when the client goes. The content is ' +
      'cut off when that fails: it has the error.',
    responses: answer('application/octet-stream', 'The file, a tar.'),
  },
  'workspaces.import': {
    requestBody: { required: true, content: { 'application/octet-stream': { schema: binary } } },
    responses: answer('application/json', 'The workspace is there.', ImportResult),
  },
  'workspaces.attach': {
    description:
      'The first message is text: what to run. Then binary messages of the client are standard input, those of ' +
      'the engine output: their first byte is 1 for stdout, 2 for stderr. Text messages are JSON: see `x-websocket`.',
    responses: { 101: { description: 'Switched to a WebSocket.' } },
    'x-websocket': {
      client: { first: AttachStart, text: AttachInput, binary: 'standard input' },
      engine: { text: AttachOutput, binary: 'a byte, 1 for stdout or 2 for stderr, and output' },
    },
  },
};
