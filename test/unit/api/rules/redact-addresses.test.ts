import assert from 'node:assert/strict';
import { cloneAddressProblem } from '../../../../src/api/rules/clone-address';
import { redactAddresses } from '../../../../src/api/rules/redact-addresses';
import { fastest } from '../../../support/fastest';
import { Random } from '../../../support/random';
import { refused, taken } from './clone-addresses';

describe('a text with addresses in it', () => {
  it('shows nothing secret where an older version has taken it', () => {
    for (const [address] of refused.filter(([text]) => text.includes('hunter2'))) {
      const text = `Clone ${address} failed: "${address}" (${address})`;
      assert.doesNotMatch(redactAddresses(text), /hunter2/, address);
    }
    assert.equal(
      redactAddresses("fatal: unable to access 'https://me:hunter2@host/a.git/?token=hunter2': no"),
      "fatal: unable to access 'https://***@host/a.git/?***': no",
    );
  });

  it('is shown as it is when there is nothing to hide', () => {
    for (const address of taken) {
      assert.equal(redactAddresses(`Clone ${address} now`), `Clone ${address} now`);
    }
    for (const text of ['12:30:45 user@host:~$ ls', 'Is it? See a#b, me@example.org.', 'workspace:latest']) {
      assert.equal(redactAddresses(text), text);
    }
  });

  it('never shows a secret, however long and wherever it is', () => {
    const random = new Random(1);
    for (let turn = 0; turn < 10_000; turn += 1) {
      const secret = `s3cr3t${text(random, secretParts, 12)}s3cr3t`;
      const address = random.pick(secretAddresses)(random, secret);
      const shown = redactAddresses(random.pick(sentences)(address, random));
      assert.doesNotMatch(shown, /s3cr3t/, `${address} is shown as ${shown}`);
    }
    const long = redactAddresses(
      `fatal: 'https://me:${'s3cr3t'.repeat(1000)}@host/a?${'s3cr3t'.repeat(1000)}'`,
    );
    assert.equal(long, "fatal: 'https://***@host/a?***'");
  });

  it('shows every address that is taken as it is', () => {
    const random = new Random(2);
    let count = 0;
    for (let turn = 0; turn < 10_000; turn += 1) {
      const address = random.pick(plainAddresses)(random);
      if (cloneAddressProblem(address) === undefined) {
        count += 1;
        assert.equal(redactAddresses(`Clone '${address}': no`), `Clone '${address}': no`);
      }
    }
    assert.ok(count > 2_000, `${count} addresses were taken`);
  });

  it('takes time in proportion to its length, whatever is in it', async () => {
    for (const part of repeated) {
      const long = part.repeat(Math.floor((256 * 1024) / part.length));
      const ms = await fastest(3, () => redactAddresses(long));
      assert.ok(ms < 1_000, `256 KiB of ${JSON.stringify(part)} took ${Math.round(ms)} ms`);
    }
  });
});

const secretParts = [
  'a',
  'Z',
  '0',
  '-',
  '_',
  '.',
  '~',
  '!',
  '$',
  '&',
  '*',
  '+',
  ',',
  ';',
  '=',
  '%2F',
  '%3a',
  "'",
  '"',
  '(',
  ')',
  '<',
  'ü',
  ':',
];
const wordParts = ['a', 'b', '0', '-', '_', '.', 'x'];

function text(random: Random, parts: readonly string[], max: number): string {
  return Array.from({ length: random.next(max) }, () => random.pick(parts)).join('');
}

const word = (random: Random): string => `h${text(random, wordParts, 6)}`;
const path = (random: Random): string => `/${word(random)}${random.pick(['', '/b@v1', '.git', '/x:y', '/'])}`;

const secretAddresses: ((random: Random, secret: string) => string)[] = [
  (random, secret) => `https://${word(random)}:${secret}@${word(random)}${path(random)}`,
  (random, secret) => `https://${word(random)}:${secret}/${secret}@${word(random)}${path(random)}`,
  (random, secret) => `https://${word(random)}:${secret}?${secret}@${word(random)}${path(random)}`,
  (random, secret) => `https://${word(random)}:${secret}@${secret}@${word(random)}${path(random)}`,
  (random, secret) => `https://${secret}@${word(random)}${path(random)}`,
  (random, secret) => `git://${secret}@${word(random)}:1${path(random)}`,
  (random, secret) => `https:/${secret}@${word(random)}${path(random)}`,
  (random, secret) => `https://${word(random)}${path(random)}?token=${secret}`,
  (random, secret) => `https://${word(random)}${path(random)}#${secret}`,
  (random, secret) =>
    `https://${word(random)}?a=https://${word(random)}:${secret}@${word(random)}${path(random)}`,
  (random, secret) => `ssh://${word(random)}:${secret}@${word(random)}${path(random)}`,
  (random, secret) => `ssh://${word(random)}%3a${secret}@${word(random)}${path(random)}`,
  (random, secret) => `${word(random)}:${secret}@${word(random)}:a.git`,
];

const plainAddresses: ((random: Random) => string)[] = [
  (random) => `https://${word(random)}${random.pick(['', ':8080'])}${path(random)}`,
  (random) => `https://team@${word(random)}/team${path(random)}`,
  (random) =>
    `ssh://${random.pick(['', 'git@', 'me@corp.com@'])}${word(random)}${random.pick(['', ':22'])}${path(random)}`,
  (random) => `${random.pick(['', 'git@', 'me@corp@'])}${word(random)}:${path(random)}`,
  (random) => `git@[${word(random)}:22]:${path(random)}`,
  (random) => `file://${path(random)}`,
  (random) => path(random),
];

const sentences: ((address: string, random: Random) => string)[] = [
  (address) => `Clone ${address} now`,
  (address) => `fatal: unable to access '${address}': no`,
  (address) => `("${address}")`,
  (address, random) =>
    `${random.pick(plainAddresses)(random)} and ${address}, ${random.pick(plainAddresses)(random)}`,
  (address, random) => `'${random.pick(plainAddresses)(random)}','${address}'`,
  (address) => `${address}\n${address}`,
];

/** What makes patterns slow that look for an end again from every start. */
const repeated = [
  'a',
  '@',
  ':',
  '/',
  '?',
  "'",
  'https://',
  'a@',
  'a:',
  '%3a',
  'a://',
  'a:b@c:',
  'x@y:/',
  'https://a@b/',
  'https://a:b/',
  'https://a?',
  '(a:b',
  'a ',
  'me:a://b@',
];
