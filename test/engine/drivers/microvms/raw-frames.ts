/** What a hostile guest does: frames of its own making, past the guest's kernel. Runs inside, as root. */
export const sendRawFrames = String.raw`
import socket, struct, sys, time
tcp_port, udp_port, own = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('eth0', 0))
mine, guest = wire.getsockname()[4], socket.inet_aton('10.0.2.15')
source_port = 20000

def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def ip(to, protocol, payload, options=b'', fragment=0x4000, ident=1):
    words = 5 + len(options) // 4
    head = struct.pack('!BBHHHBBH', 0x40 | words, 0, words * 4 + len(payload), ident, fragment, 64, protocol, 0)
    head += guest + socket.inet_aton(to) + options
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload

def tcp(to, port, flags):
    global source_port
    source_port += 1
    head = struct.pack('!HHIIBBHHH', source_port, port, 1, 0, 0x50, flags, 65535, 0, 0)
    pseudo = guest + socket.inet_aton(to) + struct.pack('!BBH', 0, 6, len(head))
    return head[:16] + struct.pack('!H', checksum(pseudo + head)) + head[18:]

def udp(port, text):
    return struct.pack('!HHHH', 20000, port, 8 + len(text), 0) + text

def send(packet, kind=b'\x08\x00', tag=b''):
    wire.send(bytes.fromhex('52550a000202') + mine + tag + kind + packet)

def attack(to):
    text = to.encode()
    nothing = b'\x01' * 8
    for flags in (0x02, 0x0a, 0xc2):
        send(ip(to, 6, tcp(to, tcp_port, flags)))
    send(ip(to, 6, tcp(to, tcp_port, 0x02), nothing))
    send(ip(to, 6, tcp(to, tcp_port, 0x02)), tag=b'\x81\x00\x00\x01')
    segment = tcp(to, tcp_port, 0x02)
    send(ip(to, 6, segment[:8], b'', 0x2000, 7))
    send(ip(to, 6, segment[8:], b'', 0x0001, 7))
    send(ip(to, 17, udp(udp_port, text)))
    send(ip(to, 17, udp(udp_port, text), nothing))
    datagram = udp(udp_port, text)
    send(ip(to, 17, datagram[:8], b'', 0x2000, 9))
    send(ip(to, 17, datagram[8:], b'', 0x0001, 9))

for to in sys.argv[4:] + [own]:
    attack(to)
    time.sleep(0.05)
print('sent')
`;

/** Asks a name server for a name, and says whether it answered. Runs anywhere. */
export const askNameServer = String.raw`
import socket, struct, sys
query = struct.pack('!HHHHHH', 7, 0x0100, 1, 0, 0, 0) + b'\x09localhost\0' + struct.pack('!HH', 1, 1)
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(20)
asking.sendto(query, (sys.argv[1], 53))
try:
    print('answered' if asking.recv(512)[:2] == query[:2] else 'confused')
except OSError as error:
    print('silent')
`;
