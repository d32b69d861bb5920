import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020';
import { errorStatus } from '../../../../src/api/errors';
import { paths, streamPaths } from '../../../../src/api/paths';
import { useServer, type TestServer } from '../../../support/engine/server';

interface Operation {
  operationId: string;
  summary?: string;
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
  'x-websocket'?: object;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, object> };
}

const braced = (path: string) => path.replace(/:(\w+)/g, '{$1}');
const escaped = (key: string) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));

/** `GET /v1/a/{name}` of each line of the tree that Fastify prints: four characters for each level. */
function servedBy(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', path = '', methods = ''] = /^([│ ]*)[├└]── (\S+) \((.*)\)$/.exec(line) ?? [];
    above.splice(indent.length / 4, Infinity, path);
    return methods
      .split(', ')
      .filter(Boolean)
      .map((method) => `${method} ${braced(above.join(''))}`);
  });
}

describe('server: OpenAPI', () => {
  const { start } = useServer();
  let test: TestServer;
  let document: Document;
  let ajv: Ajv;
  beforeEach(async () => {
    test = await start();
    document = (await test.server.inject({ method: 'GET', url: streamPaths.openapi })).json<Document>();
    ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'api');
  });
  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );

  /** Holds an answer against what the document says of it. */
  function check(pointer: string, value: unknown): void {
    const validate = ajv.getSchema(`api#${pointer}`);
    assert(validate, pointer);
    assert(validate(value), `${pointer}: ${JSON.stringify(validate.errors)} ${JSON.stringify(value)}`);
  }

  it('has every route of the server, and no other', () => {
    const served = servedBy(test.server.printRoutes({ commonPrefix: false }));
    const described = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    assert.deepEqual([...described, `GET ${streamPaths.openapi}`].sort(), served.sort());
    for (const path of [...Object.values(paths).map(([, path]) => path), ...Object.values(streamPaths)]) {
      assert(path === streamPaths.openapi || document.paths[braced(path)] !== undefined, path);
    }
  });

  it('says of each what it answers, errors too, with named schemas that can be resolved', () => {
    const statuses = [...new Set(Object.values(errorStatus))].map(String);
    for (const { path, method, operation } of operations()) {
      const { operationId: id, responses, summary = '' } = operation;
      assert.notEqual(summary, '', id);
      const good = Object.keys(responses).filter((status) => !statuses.includes(status));
      assert.deepEqual(good, [operation['x-websocket'] === undefined ? '200' : '101'], id);
      for (const status of statuses) {
        assert.equal(responses[status]?.$ref, `#/components/responses/Error${status}`, id);
      }
      const [type] = Object.keys(responses['200']?.content ?? {});
      if (type !== undefined) {
        const at = `/paths/${escaped(path)}/${method}/responses/200/content/${escaped(type)}/schema`;
        assert(ajv.getSchema(`api#${at}`), `${id}: its references lead somewhere`);
      }
    }
    const text = JSON.stringify(document);
    for (const name of [
      'Workspace',
      'Operation',
      'Volume',
      'FileEntry',
      'EngineEvent',
      'ErrorBody',
      'Step',
    ]) {
      assert(document.components.schemas[name] !== undefined, name);
      assert(text.includes(`"#/components/schemas/${name}"`), `${name} is referred to`);
    }
    for (const [, kind = '', name = ''] of text.matchAll(/"#\/components\/(schemas|responses)\/(\w+)"/g)) {
      const all: Record<string, object> = document.components[kind === 'schemas' ? 'schemas' : 'responses'];
      assert(all[name] !== undefined, name);
    }
  });

  it('is what the server answers', async () => {
    await test.create('demo', { env: { A: '1' }, secrets: { B: '2' }, volumes: ['data:/data'] });
    const params: Record<string, string> = { name: 'demo', volume: 'workspace-demo' };
    const fill = (path: string) => path.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? 'none');
    const seen = new Set<string>();
    const ask = async (path: string, method: string, payload?: object, query = ''): Promise<void> => {
      const answer = await test.server.inject({
        method: method.toUpperCase() as 'GET',
        url: `${fill(path)}${query}`,
        ...(payload !== undefined && { payload }),
      });
      const base = `/paths/${escaped(path)}/${method}/responses/200/content/application~1json/schema`;
      const { statusCode: status } = answer;
      check(
        status === 200 ? base : `/components/responses/Error${status}/content/application~1json/schema`,
        answer.json(),
      );
      seen.add(`${status}`);
    };
    for (const { path, method, operation } of operations()) {
      const isJson = operation.responses['200']?.content?.['application/json'] !== undefined;
      if (method === 'get' && isJson) {
        await ask(path, method, undefined, path.includes('/files/') ? '?path=/' : '');
      } else if (operation.requestBody !== undefined && isJson) {
        await ask(path, method, { nonsense: true });
      }
    }
    await ask('/v1/workspaces/{name}', 'patch', { label: 'other' });
    await ask('/v1/workspaces/{name}/exec', 'post', { argv: ['true'] });
    await ask('/v1/workspaces/{name}/stop', 'post', undefined, '?wait=9000');
    await ask('/v1/workspaces/{name}', 'delete', undefined, '?wait=9000');
    assert(seen.has('200') && seen.has('400') && seen.has('404'), [...seen].join());
  });
});
