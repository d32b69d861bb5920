/** Validates requests with the contract's schemas; the error names the field. Compiled on first use. */
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from '@sinclair/typebox';
import { BerthError } from '../../api/errors';

/** The schemas are our own, and held against JSON Schema by a test: that would be most of the work of the first request. */
export const validation = {
  useDefaults: true,
  strict: false,
  verbose: true,
  meta: false,
  validateSchema: false,
};

function unused(): never {
  throw new Error('The server has compilers of its own.');
}

/** In the place of Fastify's own, which are set before any route: to read them takes as long as to make the routes. */
export const noCompilers = { buildValidator: unused, buildSerializer: unused };

/** By whether values are made of text, as in query strings and paths, which hold nothing else. Made on first use. */
const validators = new Map<boolean, Ajv>();

function validatorOf(isText: boolean): Ajv {
  const made = validators.get(isText) ?? new Ajv({ ...validation, coerceTypes: isText });
  validators.set(isText, made);
  return made;
}

export type Validate<T = unknown> = (input: unknown) => { value: T } | { error: Error };

/** A validator for one part (`body`, `querystring`, `params`) of one route. */
export function makeValidator<T = unknown>(schema: object, part: string | undefined): Validate<T> {
  let compiled: ValidateFunction<T> | undefined;
  return (input) => {
    if (part !== 'body' && compiled === undefined) {
      const value = flagsIn(schema, input);
      if (value !== undefined) {
        return { value: value as T };
      }
    }
    compiled ??= validatorOf(part !== 'body').compile<T>(schema);
    return compiled(input) ? { value: input } : { error: describe(compiled.errors ?? [], part) };
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** The schema asks for this, and for nothing else. */
const isFlag = (schema: unknown): boolean =>
  isRecord(schema) && schema.type === 'boolean' && Object.keys(schema).every((key) => flagWords.has(key));
const flagWords = new Set(['type', 'description']);

/**
 * The value of a query that says nothing but yes or no, as those of the first requests of all commands do; undefined for
 * any other. To read and run the library for it takes longer than all else of an answer.
 */
function flagsIn(schema: object, input: unknown): Record<string, boolean> | undefined {
  const { type, properties, required, ...rest } = schema as Record<string, unknown>;
  const isPlain = Object.keys(rest).every((key) => key === 'additionalProperties' || key === 'description');
  const isEmpty = !Array.isArray(required) || required.length === 0;
  if (type !== 'object' || !isRecord(properties) || !isRecord(input) || !isPlain || !isEmpty) {
    return undefined;
  }
  const hasDefault = Object.values(properties).some((each) => !isRecord(each) || 'default' in each);
  const isKnown = ([key, text]: [string, unknown]): boolean =>
    Object.hasOwn(properties, key) && isFlag(properties[key]) && (text === 'true' || text === 'false');
  return !hasDefault && Object.entries(input).every(isKnown)
    ? Object.fromEntries(Object.entries(input).map(([key, text]) => [key, text === 'true']))
    : undefined;
}

/** Reads one message of a stream, which is JSON. Throws `bad_request`, naming the field. */
export function makeReader<S extends TSchema>(schema: S): (text: string) => Static<S> {
  const validate = makeValidator<Static<S>>(schema, 'body');
  return (text) => {
    const checked = validate(parseJson(text));
    if ('error' in checked) {
      throw checked.error;
    }
    return checked.value;
  };
}

/** undefined for what is not JSON: no schema of ours takes that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(errors: readonly ErrorObject[], part: string | undefined): BerthError {
  const error = errors[0];
  if (error === undefined) {
    return new BerthError('bad_request', 'The request is not valid.');
  }
  const field = fieldOf(error);
  const where = field === '' ? (part === 'body' ? 'The request body' : 'The request') : `"${field}"`;
  const hint = describedBy(error);
  return new BerthError('bad_request', `${where} ${messageOf(error)}.`, {
    ...(field !== '' && { field }),
    ...(hint !== undefined && { hint }),
  });
}

/** What the schema that was not met says of itself. */
function describedBy({ parentSchema: schema }: ErrorObject): string | undefined {
  const description: unknown = schema?.description;
  return typeof description === 'string' ? description : undefined;
}

function fieldOf(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const params: Record<string, unknown> = error.params;
  const extra = params.additionalProperty ?? params.missingProperty;
  return typeof extra === 'string' ? [path, extra].filter((part) => part !== '').join('.') : path;
}

function messageOf(error: ErrorObject): string {
  const params: Record<string, unknown> = error.params;
  switch (error.keyword) {
    case 'additionalProperties':
      return 'is not known';
    case 'required':
      return 'is missing';
    case 'enum':
      return `must be one of ${Array.isArray(params.allowedValues) ? params.allowedValues.join(', ') : ''}`;
    case 'pattern':
      // The schema's own words, where it has some, are the hint.
      return `does not have the right form${describedBy(error) === undefined ? ` (${String(params.pattern)})` : ''}`;
    default:
      return error.message ?? 'is wrong';
  }
}
