/** The OpenAPI document, made when it is asked for: what describes routes is not read, and does nothing, at the start. */
import fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { noCompilers } from './validation';

/** To be called before routes are registered. What it returns makes the document of them, once. */
export function describeRoutes(server: FastifyInstance, version: string): () => Promise<object> {
  const routes: RouteOptions[] = [];
  server.addHook('onRoute', ({ method, url, schema }) => {
    routes.push({ method, url, ...(schema !== undefined && { schema }), handler: () => undefined });
  });
  let document: Promise<object> | undefined;
  return () => {
    document ??= makeDocument(routes, version).catch((error: unknown) => {
      document = undefined;
      throw error;
    });
    return document;
  };
}

/** By a server of its own, which never listens. */
async function makeDocument(routes: readonly RouteOptions[], version: string): Promise<object> {
  const [{ default: swagger }, { completeDocument }] = await Promise.all([
    import('@fastify/swagger'),
    import('./openapi.js'),
  ]);
  const describer = fastify({
    exposeHeadRoutes: false,
    schemaController: { compilersFactory: noCompilers },
  });
  describer.setValidatorCompiler(() => () => true);
  describer.setSerializerCompiler(() => JSON.stringify);
  await describer.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Berth engine', version, description: 'Persistent workspaces on your own machine.' },
    },
  });
  routes.forEach((route) => describer.route(route));
  await describer.ready();
  const document = completeDocument(describer.swagger());
  await describer.close();
  return document;
}
