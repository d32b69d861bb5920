import assert from 'node:assert/strict';
import { proxyEnvironment } from '../../../src/ui/proxy-environment';

describe('proxyEnvironment', () => {
  const none = { proxy: undefined, noProxy: undefined, support: undefined };

  it('gives the engine the proxy of VS Code in both spellings, so that no other one of them is left', () => {
    const proxy = 'http://p:3128';
    const both = { http_proxy: proxy, HTTP_PROXY: proxy, https_proxy: proxy, HTTPS_PROXY: proxy };
    assert.deepEqual(proxyEnvironment({ ...none, proxy }), both);
    assert.deepEqual(proxyEnvironment({ ...none, proxy, noProxy: [] }), both);
    const exceptions = { no_proxy: 'a.example,10.0.0.0/8', NO_PROXY: 'a.example,10.0.0.0/8' };
    assert.deepEqual(proxyEnvironment({ ...none, proxy, noProxy: ['a.example', 3, '10.0.0.0/8'] }), {
      ...both,
      ...exceptions,
    });
  });

  it('leaves the environment as it is without one', () => {
    assert.deepEqual(proxyEnvironment(none), {});
    assert.deepEqual(proxyEnvironment({ ...none, proxy: '', noProxy: ['a'] }), {});
    assert.deepEqual(proxyEnvironment({ ...none, proxy: 7 }), {});
    assert.deepEqual(proxyEnvironment({ ...none, proxy: 'http://p:1', support: 'off' }), {});
  });
});
