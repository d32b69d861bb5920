/** Frames as a guest could send them, good and bad. */
export interface FrameParts {
  etherType?: number;
  /** Between the addresses and the type. */
  tag?: Buffer;
  version?: number;
  /** In words of 32 bits, as the header says; that many are there. */
  headerWords?: number;
  /** Instead of the real one. */
  totalBytes?: number;
  /** The flags and the offset of fragments. */
  fragment?: number;
  protocol?: number;
  destination: string;
  payload?: Buffer;
  /** After the packet. */
  padding?: number;
}

export const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 };

export function frame({ etherType = 0x0800, tag, ...packet }: FrameParts): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(etherType);
  return Buffer.concat([
    Buffer.from('525500000202525400123456', 'hex'),
    tag ?? Buffer.alloc(0),
    type,
    ipv4(packet),
    Buffer.alloc(packet.padding ?? 0),
  ]);
}

function ipv4(parts: Omit<FrameParts, 'etherType' | 'tag'>): Buffer {
  const { version = 4, headerWords = 5, fragment = 0x4000, protocol = 6, payload = tcp(80) } = parts;
  const header = Buffer.alloc(Math.max(headerWords, 5) * 4);
  header.writeUInt8((version << 4) | headerWords, 0);
  header.writeUInt16BE(parts.totalBytes ?? header.length + payload.length, 2);
  header.writeUInt16BE(fragment, 6);
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  Buffer.from([10, 0, 2, 15]).copy(header, 12);
  Buffer.from(parts.destination.split('.').map(Number)).copy(header, 16);
  // Options that do nothing.
  header.fill(1, 20);
  return Buffer.concat([header, payload]);
}

export function tcp(port: number, flags: number = tcpFlags.syn): Buffer {
  const segment = Buffer.alloc(20);
  segment.writeUInt16BE(40_000, 0);
  segment.writeUInt16BE(port, 2);
  segment.writeUInt8(5 << 4, 12);
  segment.writeUInt8(flags, 13);
  return segment;
}

export function udp(port: number): Buffer {
  const datagram = Buffer.alloc(12);
  datagram.writeUInt16BE(40_000, 0);
  datagram.writeUInt16BE(port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  return datagram;
}

/** As QEMU sends it over a socket. */
export function packed(...frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((each) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(each.length);
      return [length, each];
    }),
  );
}
