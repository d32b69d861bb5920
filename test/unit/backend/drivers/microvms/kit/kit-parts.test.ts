import assert from 'node:assert/strict';
import { kernelWords } from '../../../../../../src/backend/drivers/microvms/kit/kit-parts';

describe('drivers/microvms/kit/kit-parts', () => {
  it('tells people the version of the kernel, and not how the folder of its kit is called', () => {
    assert.equal(kernelWords('2-6.1.0-50-cloud-amd64-c5fa5372'), 'Linux 6.1.0-50');
    assert.equal(kernelWords('3-6.12.4-amd64-0123abcd'), 'Linux 6.12.4');
    assert.match(kernelWords(undefined), /^the first microVM takes longer/);
    assert.equal(kernelWords('of-a-test'), 'Linux of-a-test');
  });
});
