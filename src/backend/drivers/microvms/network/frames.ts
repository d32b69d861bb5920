/**
 * Which frames of a guest QEMU's user network (libslirp) gets to see. To it, an address of the guest's own network is
 * this machine's loopback, as are those that the system's own connect() takes for it: none of them passes, but for what
 * the guest needs to be reached and to resolve names. What libslirp reads of a frame is what counts: `slirp_input`,
 * `ip_input`, `tcp_input`, `udp_input` of https://gitlab.freedesktop.org/slirp/libslirp.
 */

/** The guest's network, 10.0.2.0/24: `net` of QEMU's `-netdev user`. */
const guestNetwork = 0x0a0002;
/** Where connections from this machine into the guest seem to come from. */
const gateway = 0x0a000202;
/** Leads to this machine's own resolver, and to its port 53 only. */
const nameServer = 0x0a000203;
const dnsPort = 53;

const ethernetBytes = 14;
const arp = 0x0806;
const arpBytes = ethernetBytes + 28;
const ipv4 = 0x0800;
const ipv4Bytes = 20;
const tcp = 6;
const tcpBytes = 20;
const udp = 17;
const udpBytes = 8;
const synFlag = 0x02;
const ackFlag = 0x10;
/** "Don't fragment": with any other bit of that field libslirp puts fragments together. */
const wholePacket = 0x4000;

/** One Ethernet frame as the guest sent it: nothing in it can be relied on. */
export function mayPass(frame: Buffer): boolean {
  if (frame.length < ethernetBytes) {
    return false;
  }
  switch (frame.readUInt16BE(12)) {
    case arp:
      return frame.length >= arpBytes;
    case ipv4:
      return mayPassIpv4(frame.subarray(ethernetBytes));
    default:
      // IPv6 is off; VLAN tags and QEMU's own management protocol (NC-SI) are nobody's way out.
      return false;
  }
}

function mayPassIpv4(packet: Buffer): boolean {
  if (packet.length < ipv4Bytes || packet.readUInt8(0) >> 4 !== 4) {
    return false;
  }
  const headerBytes = (packet.readUInt8(0) & 0x0f) * 4;
  const totalBytes = packet.readUInt16BE(2);
  if (headerBytes < ipv4Bytes || totalBytes < headerBytes || totalBytes > packet.length) {
    return false;
  }
  const destination = packet.readUInt32BE(16);
  if (!isLoopback(destination)) {
    return true;
  }
  const isWhole = (packet.readUInt16BE(6) & ~wholePacket) === 0;
  return isWhole && mayReach(destination, packet.readUInt8(9), packet.subarray(headerBytes, totalBytes));
}

/** What this machine itself would answer, whatever it is bound to; broadcasts and groups among them. */
function isLoopback(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224 || address >>> 8 === guestNetwork;
}

function mayReach(destination: number, protocol: number, payload: Buffer): boolean {
  if (destination === nameServer) {
    const headerBytes = protocol === udp ? udpBytes : protocol === tcp ? tcpBytes : Infinity;
    return payload.length >= headerBytes && payload.readUInt16BE(2) === dnsPort;
  }
  // Answers to connections into the guest; with SYN alone it would open one of its own.
  return destination === gateway && protocol === tcp && payload.length >= tcpBytes && !opens(payload);
}

function opens(segment: Buffer): boolean {
  return (segment.readUInt8(13) & (synFlag | ackFlag)) === synFlag;
}
