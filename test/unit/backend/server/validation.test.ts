import assert from 'node:assert/strict';
import Ajv from 'ajv';
import { routes } from '../../../../src/api/routes';
import { AttachInput, AttachStart } from '../../../../src/api/stream-schemas';
import { streams } from '../../../../src/api/streams';
import { makeValidator } from '../../../../src/backend/server/validation';

describe('the schemas of requests', () => {
  it('are JSON Schema, which the engine does not check again', () => {
    const ajv = new Ajv({ strict: false });
    const schemas: [string, object][] = [
      ['start', AttachStart],
      ['input', AttachInput],
    ];
    for (const [id, route] of [...Object.entries(routes), ...Object.entries(streams)]) {
      for (const part of ['params', 'query', 'body'] as const) {
        const schema: unknown = Reflect.get(route, part);
        if (typeof schema === 'object' && schema !== null) {
          schemas.push([`${id} ${part}`, schema]);
        }
      }
    }
    assert.ok(schemas.length > 60, String(schemas.length));
    for (const [what, schema] of schemas) {
      assert.ok(ajv.validateSchema(schema), `${what}: ${ajv.errorsText()}`);
    }
  });

  it('take flags of a query alike with and without the library that is read for all else', () => {
    const texts = ['true', 'false', '1', '', 'TRUE', ['true', 'false']];
    let accepted = 0;
    for (const [id, route] of [...Object.entries(routes), ...Object.entries(streams)]) {
      const schema: unknown = Reflect.get(route, 'query');
      if (typeof schema !== 'object' || schema === null) {
        continue;
      }
      const properties: unknown = Reflect.get(schema, 'properties');
      const keys = [...Object.keys(properties ?? {}), 'other', 'constructor'];
      const inputs = [{}, ...keys.flatMap((key) => texts.map((text) => ({ [key]: text })))];
      const read = makeValidator(schema, 'querystring');
      read({ 'no such': 'field' });
      for (const input of inputs) {
        const own = makeValidator(schema, 'querystring')({ ...input });
        const library = read({ ...input });
        assert.deepEqual(own, library, `${id} ${JSON.stringify(input)}`);
        accepted += 'value' in own ? 1 : 0;
      }
    }
    assert.ok(accepted > 40, String(accepted));
  });

  it('refuse and fill in as if they were checked', () => {
    const schema = {
      type: 'object',
      properties: { count: { type: 'integer', default: 3, maximum: 9 } },
      additionalProperties: false,
    };
    const validate = makeValidator(schema, 'querystring');
    assert.deepEqual(validate({}), { value: { count: 3 } });
    assert.deepEqual(validate({ count: '4' }), { value: { count: 4 } });
    assert.ok('error' in validate({ count: 10 }));
    assert.ok('error' in validate({ other: 1 }));
  });
});
