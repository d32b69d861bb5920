import type { WaitFor } from '../wait-for';
import type { Handlers } from '../register';
import type { Services } from '../services';

type Ids =
  | 'engine.info'
  | 'engine.stop'
  | 'engine.settings'
  | 'engine.configure'
  | 'engine.doctor'
  | 'engine.orphans'
  | 'caches.list'
  | 'caches.clean'
  | 'ssh.config'
  | 'ssh.include'
  | 'operations.list'
  | 'operations.get'
  | 'operations.cancel'
  | 'images.list'
  | 'images.build'
  | 'images.pull'
  | 'images.push'
  | 'images.save'
  | 'images.remove';

/** Routes of the engine, its settings, images and operations. */
export function engineHandlers(services: Services, waitFor: WaitFor): Handlers<Ids> {
  const { description, settings, doctor, sshAccess, operations, images, ending, caches } = services;
  return {
    'engine.info': ({ query }) => description.info(query.drivers),
    'engine.stop': ({ body }) => ending.ask(body.onlyIfIdle ?? false),
    'engine.settings': () => settings.get(),
    'engine.configure': ({ body }) => settings.change(body),
    'engine.doctor': ({ query }) => doctor.report(query.userConfig),
    'engine.orphans': () => doctor.orphans(),
    'caches.list': () => caches.list(),
    'caches.clean': ({ body }) => caches.clean(body.caches),
    'ssh.config': ({ query }) => sshAccess.status(query.userConfig),
    'ssh.include': ({ body }) => sshAccess.include(body.userConfig),
    'operations.list': ({ query, principal }) =>
      operations.list(query.running).filter((each) => services.visibility.operation(principal, each)),
    'operations.get': ({ params, query }) => operations.wait(params.id, query.wait ?? 0),
    'operations.cancel': ({ params }) => operations.cancel(params.id),
    'images.list': () => images.list(),
    'images.build': ({ body, query }) =>
      waitFor(images.build({ noCache: false, toolsOnly: false, ...body }), query),
    'images.pull': ({ body, query }) => waitFor(images.pull(body.image, body.runtime), query),
    'images.push': ({ body, query }) => waitFor(images.push(body.image), query),
    'images.save': ({ body, query }) => waitFor(images.save(body.image, body.path), query),
    'images.remove': async ({ body }) => {
      await images.remove(body.image);
      return {};
    },
  };
}
