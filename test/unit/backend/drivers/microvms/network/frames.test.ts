import assert from 'node:assert/strict';
import { mayPass } from '../../../../../../src/backend/drivers/microvms/network/frames';
import { frame, tcp, tcpFlags, udp, type FrameParts } from './build-frames';

const { fin, syn, rst, psh, ack, urg, ece, cwr } = tcpFlags;
/** What QEMU's user network, or connect() of this machine, takes for this machine's loopback; groups and broadcasts. */
const loopbacks = [
  ...['10.0.2.2', '10.0.2.3', '10.0.2.0', '10.0.2.1', '10.0.2.15', '10.0.2.77', '10.0.2.255'],
  ...['127.0.0.1', '127.0.0.53', '127.255.255.255', '0.0.0.0', '0.1.2.3'],
  ...['224.0.0.251', '239.255.255.250', '240.0.0.1', '255.255.255.255'],
];
const elsewhere = [
  '10.0.1.2',
  '10.0.3.2',
  '8.8.8.8',
  '126.0.0.1',
  '128.0.0.1',
  '192.168.1.1',
  '223.255.255.255',
];
const udpTo = (destination: string, port: number, more: Partial<FrameParts> = {}): Buffer =>
  frame({ destination, protocol: 17, payload: udp(port), ...more });
const tcpTo = (destination: string, port: number, flags: number, more: Partial<FrameParts> = {}): Buffer =>
  frame({ destination, payload: tcp(port, flags), ...more });

describe('which frames of a guest pass', () => {
  it('lets everything out that goes elsewhere, in fragments and with options as well', () => {
    for (const destination of elsewhere) {
      for (const more of [
        {},
        { fragment: 0x2000 },
        { fragment: 0x00b9 },
        { headerWords: 15 },
        { padding: 20 },
      ]) {
        assert(mayPass(tcpTo(destination, 22, syn, more)), destination);
        assert(mayPass(udpTo(destination, 123, more)), destination);
        assert(mayPass(frame({ destination, protocol: 1, payload: Buffer.alloc(8), ...more })), destination);
      }
    }
  });

  it('opens no connection to loopback, under any address, with whatever flags would open one', () => {
    for (const destination of loopbacks) {
      for (const flags of [
        syn,
        syn | psh,
        syn | ece | cwr,
        syn | psh | ece | cwr,
        syn | fin,
        syn | rst,
        syn | urg,
      ]) {
        for (const headerWords of [5, 6, 15]) {
          assert(!mayPass(tcpTo(destination, 22, flags, { headerWords })), `${destination} ${flags}`);
        }
      }
    }
  });

  it('sends no datagram there, nor an echo, nor anything of another protocol', () => {
    for (const destination of loopbacks) {
      for (const port of [7, 54, 67, 68, 69, 123, 5353]) {
        assert(!mayPass(udpTo(destination, port)), `${destination}:${port}`);
      }
      for (let protocol = 0; protocol < 256; protocol++) {
        const isKnown = protocol === 6 || protocol === 17;
        assert(isKnown || !mayPass(frame({ destination, protocol, payload: tcp(53, ack) })), `${protocol}`);
      }
    }
  });

  it('lets the guest answer connections from this machine, which come from the gateway', () => {
    for (const flags of [ack, ack | psh, fin | ack, rst, rst | ack, syn | ack, syn | ack | ece, ack | urg]) {
      assert(mayPass(tcpTo('10.0.2.2', 50_000, flags)), String(flags));
      assert(mayPass(tcpTo('10.0.2.2', 50_000, flags, { headerWords: 8 })), String(flags));
    }
    for (const destination of loopbacks.filter((address) => address !== '10.0.2.2')) {
      assert(!mayPass(tcpTo(destination, 50_000, ack)), destination);
      assert(!mayPass(tcpTo(destination, 50_000, syn | ack)), destination);
    }
  });

  it('lets names be resolved, by the address that is for it and no other', () => {
    assert(mayPass(udpTo('10.0.2.3', 53)));
    assert(mayPass(udpTo('10.0.2.3', 53, { headerWords: 7 })));
    assert(mayPass(tcpTo('10.0.2.3', 53, syn)));
    assert(mayPass(tcpTo('10.0.2.3', 53, ack)));
    for (const destination of loopbacks.filter((address) => address !== '10.0.2.3')) {
      assert(!mayPass(udpTo(destination, 53)), destination);
      assert(!mayPass(tcpTo(destination, 53, syn)), destination);
    }
  });

  it('lets no fragment pass to where only some packets may go: what it is a part of can not be seen', () => {
    for (const fragment of [0x2000, 0x2001, 0x0001, 0x1fff, 0x6000, 0x4001, 0x8000, 0xc000]) {
      assert(!mayPass(udpTo('10.0.2.3', 53, { fragment })), fragment.toString(16));
      assert(!mayPass(tcpTo('10.0.2.2', 50_000, ack, { fragment })), fragment.toString(16));
    }
    assert(mayPass(udpTo('10.0.2.3', 53, { fragment: 0 })));
  });

  it('looks at the header where the options end, not where they usually do', () => {
    // Without options the first word would say: an answer from port 0 to some port.
    const options = Buffer.concat([tcp(50_000, ack), tcp(22, syn)]);
    assert(!mayPass(frame({ destination: '10.0.2.2', payload: options.subarray(20), headerWords: 10 })));
    const hidden = frame({ destination: '10.0.2.2', payload: options });
    // The header is said to be five words longer: the second segment is what counts.
    hidden.writeUInt8((4 << 4) | 10, 14);
    assert(!mayPass(hidden));
  });

  it('drops what says that it is longer, or shorter, than it is', () => {
    const good = udpTo('10.0.2.3', 53);
    for (let length = 0; length < good.length; length++) {
      assert(!mayPass(good.subarray(0, length)), String(length));
    }
    for (const totalBytes of [0, 19, 20, 27, 33, 65_535]) {
      assert(!mayPass(udpTo('10.0.2.3', 53, { totalBytes })), String(totalBytes));
    }
    for (const totalBytes of [0, 20, 39, 41]) {
      assert(!mayPass(tcpTo('10.0.2.2', 50_000, ack, { totalBytes })), String(totalBytes));
    }
    for (const headerWords of [0, 1, 4]) {
      assert(!mayPass(tcpTo('8.8.8.8', 22, syn, { headerWords })), String(headerWords));
    }
    for (const version of [0, 3, 5, 6, 15]) {
      assert(!mayPass(tcpTo('8.8.8.8', 22, syn, { version })), String(version));
    }
  });

  it('knows ARP and IPv4 only: no IPv6, no tags, nothing for QEMU itself', () => {
    assert(mayPass(frame({ etherType: 0x0806, destination: '10.0.2.2' })));
    assert(!mayPass(frame({ etherType: 0x0806, destination: '10.0.2.2' }).subarray(0, 41)));
    for (const etherType of [0, 0x05dc, 0x0842, 0x8100, 0x86dd, 0x88a8, 0x88f8, 0xffff]) {
      assert(!mayPass(frame({ etherType, destination: '8.8.8.8' })), etherType.toString(16));
    }
    assert(!mayPass(frame({ tag: Buffer.from('81000001', 'hex'), destination: '8.8.8.8' })));
  });

  it('never throws, and lets nothing pass to loopback, whatever bytes there are', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let round = 0; round < 50_000; round++) {
      const destination = loopbacks[random(loopbacks.length)] ?? '';
      const bytes = tcpTo(destination, random(65_536), random(256), { headerWords: random(16) });
      const cut = bytes.subarray(0, random(bytes.length + 1));
      for (let changes = random(4); changes > 0 && cut.length > 0; changes--) {
        const at = random(cut.length);
        // But for the address, which says where it goes.
        if (at < 30 || at > 33) {
          cut.writeUInt8(random(256), at);
        }
      }
      if (mayPass(cut) && cut.readUInt16BE(12) === 0x0800) {
        assertHarmless(cut.subarray(14));
      }
    }
  });
});

/** The rule once more, in the words of what receives it. */
function assertHarmless(packet: Buffer): void {
  const payload = packet.subarray((packet.readUInt8(0) & 15) * 4, packet.readUInt16BE(2));
  const destination = [...packet.subarray(16, 20)].join('.');
  const protocol = packet.readUInt8(9);
  if (destination === '10.0.2.3') {
    assert.equal(payload.readUInt16BE(2), 53);
    assert([6, 17].includes(protocol));
  } else {
    assert.deepEqual([destination, protocol], ['10.0.2.2', 6]);
    assert.notEqual(payload.readUInt8(13) & (syn | fin | rst | urg | ack), syn);
  }
}
