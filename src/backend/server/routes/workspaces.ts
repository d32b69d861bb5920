import type { RouteId } from '../../../api/paths';
import { bareVerbs, byRoute, startVerbs } from '../../../api/rules/lifecycle';
import { isOnTarget } from '../../../api/rules/runtimes';
import type { WaitFor } from '../wait-for';
import type { Handlers } from '../register';
import type { Services } from '../services';

type Ids = Exclude<
  Extract<RouteId, `workspaces.${string}` | `adoptable.${string}`>,
  /** Of files: see `routes/files.ts`. */
  'workspaces.locate'
>;

interface Begin {
  params: { name: string };
  query: { wait?: number; acceptEmpty?: boolean };
}

/** Routes of workspaces and what is done with them. */
export function workspaceHandlers(services: Services, waitFor: WaitFor): Handlers<Ids> {
  const { workspaces, verbs, creator, access, adoption, commits, forks, keeping } = services;
  return {
    'workspaces.list': ({ query, principal }) =>
      workspaces
        .list()
        .filter(({ spec }) => isOnTarget(spec, query.target))
        .filter(({ name }) => services.visibility.workspace(principal, name)),
    'workspaces.create': async ({ body, query }) => waitFor(await creator.create(body), query),
    'workspaces.get': ({ params }) => workspaces.get(params.name),
    'workspaces.update': ({ params, body }) => workspaces.update(params.name, body),
    'workspaces.delete': ({ params, query }) => waitFor(verbs.delete(params.name, query), query),
    ...byRoute(
      startVerbs,
      (verb) =>
        ({ params, query }: Begin) =>
          waitFor(verbs[verb](params.name, query), query),
    ),
    ...byRoute(
      bareVerbs,
      (verb) =>
        ({ params, query }: Begin) =>
          waitFor(verbs[verb](params.name), query),
    ),
    'workspaces.rebuild': async ({ params, body, query }) =>
      waitFor(await verbs.rebuild(params.name, body), query),
    'workspaces.commit': ({ params, body, query }) => waitFor(commits.commit(params.name, body.image), query),
    'workspaces.fork': ({ params, body, query }) => waitFor(forks.fork(params.name, body), query),
    'workspaces.keep': ({ params, body, query }) => waitFor(keeping.keep(params.name, body), query),
    'workspaces.stats': ({ params }) => access.stats(params.name),
    'workspaces.ssh': ({ params }) => access.ssh(params.name),
    'workspaces.exec': ({ params, body, signal }) => access.exec(params.name, body, signal),
    'adoptable.list': () => adoption.list(),
    'adoptable.adopt': async ({ params, body, query }) =>
      waitFor(await adoption.adopt(params.name, body), query),
  };
}
