import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  countConnections,
  countingCommand,
  publishedInside,
} from '../../../../../../src/backend/drivers/containers/runtime/attached';
import { useTempFolder } from '../../../../../support/temp';

describe('connections of published ports', () => {
  const folder = useTempFolder();
  const row = (here: string, there: string, state = '01') =>
    `   1: ${here} ${there} ${state} 00000000:00000000 00:00000000 00000000  1000        0 4242 1`;

  it('are those that come from elsewhere, by IPv4 and IPv6', () => {
    const [v4, none, v6] = ['tcp', 'none', 'tcp6'].map((name) => join(folder(), name)) as [
      string,
      string,
      string,
    ];
    const ofSix = (end: string) => `000000000000000000000000${end}`;
    writeFileSync(
      v4,
      [
        '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
        row('00000000:1F90', '00000000:0000', '0A'),
        row('020011AC:1F90', '010011AC:D431'),
        row('020011AC:1F90', '010011AC:D432', '06'),
        row('020011AC:D431', '010011AC:1F90'),
        row('0100007F:1F90', '0100007F:D433'),
        row('020011AC:0016', '010011AC:D434'),
      ].join('\n'),
    );
    writeFileSync(
      v6,
      [
        row(`0000000000000000FFFF0000020011AC:0BB8`, `0000000000000000FFFF0000010011AC:D435`),
        row(`0000000000000000FFFF00000100007F:0BB8`, `0000000000000000FFFF00000100007F:D436`),
        row(`${ofSix('01000000')}:0BB8`, `${ofSix('01000000')}:D437`),
      ].join('\n'),
    );
    const [, ...args] = countingCommand([8080, 3000], [v4, none, v6]);
    assert.equal(execFileSync('busybox', ['awk', ...args], { encoding: 'utf8' }).trim(), '2');
  });

  it('are asked for where there are such ports', () => {
    const bindings = { '22/tcp': [{}], '8080/tcp': [{}], '53/udp': [{}] };
    assert.deepEqual(publishedInside(bindings), [8080]);
    assert.deepEqual(publishedInside(null), []);
  });
});

describe('connections in a list of processes', () => {
  it('counts one per login, also without a session, and root', () => {
    const titles = [
      'sshd: /.berth/bin/sshd -D -e [listener] 0 of 100-100 startups',
      'sshd: workspace [priv]',
      'sshd: workspace@pts/0',
      'sshd: workspace [priv]',
      'sshd: workspace',
      'sshd: root@notty',
      'bash',
    ];
    assert.equal(countConnections(titles), 3);
  });

  it('does not count who has not logged in', () => {
    const titles = [
      'sshd: [accepted]',
      'sshd: [net]',
      'sshd: workspace [priv]',
      'sshd: workspace [net]',
      'sshd: unknown [priv]',
      'sshd: unknown [net]',
    ];
    assert.equal(countConnections(titles), 0);
  });
});
