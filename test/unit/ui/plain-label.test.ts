import assert from 'node:assert/strict';
import { plainLabel, plainMessage } from '../../../src/ui/plain-label';

describe('ui/plain-label', () => {
  it('keeps what VS Code would draw as an icon', () => {
    assert.equal(plainLabel('$(document).ready(f)'), '\\$(document).ready(f)');
    assert.equal(plainLabel('a $(sync~spin) b $(this)'), 'a \\$(sync~spin) b \\$(this)');
    assert.equal(plainLabel('\\$(ls)'), '\\\\$(ls)');
  });

  it('makes no link of what a container engine says', () => {
    assert.equal(plainMessage('No: [fix](command:x) at a'), 'No: [fix] (command:x) at a');
  });

  it('changes nothing else', () => {
    for (const text of ['$(ls -l)', '$("#id")', '${HOME}', '$()', 'costs $5 (net)']) {
      assert.equal(plainLabel(text), text);
    }
  });
});
