/** The worker thread that an image is opened in: whatever a hostile one does to it, the engine goes on. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { encodeFrame, FrameReader } from '../agent/frames';
import { DiskAgent, type Send } from './agent/agent';
import { Spares } from './agent/spares';
import { asDiskError } from '../../ext4/disk-error';
import { Ext4 } from '../../ext4/file-system';
import type { Range } from '../../ext4/punch-holes';
import { isFillData, serveFilling } from './filling/fill-thread';

/** The engine sends pieces of half a mebibyte: a stream out of step is noticed. */
const maxRequest = 64 * 1024 * 1024;

/**
 * From the engine: bytes of frames, buffers that it gives back, `ping`, `end`. To it: bytes, the answer to a ping, what went wrong at opening, and
 * at the end what of the image may become holes.
 */
export type FromWorker =
  Uint8Array | { busy: number } | { failed: Record<string, unknown> } | { released: Range[] };

const protocol = 1;

function open(data: unknown): Ext4 {
  if (typeof data === 'object' && data !== null && 'image' in data && typeof data.image === 'string') {
    return Ext4.open(data.image, 'isReadOnly' in data && data.isReadOnly === true ? 'r' : 'r+');
  }
  throw new Error('no image is named');
}

function post(
  port: MessagePort,
  spares: Spares,
  head: Readonly<Record<string, unknown>>,
  payload?: Buffer,
): void {
  for (const part of encodeFrame(head, payload)) {
    // A buffer of its own is handed over; a part of a larger one, which may have more in it, is copied.
    const { buffer } = part;
    if (buffer instanceof ArrayBuffer && (part.byteLength === buffer.byteLength || spares.isTaken(part))) {
      port.postMessage(part, [buffer]);
    } else {
      port.postMessage(Uint8Array.prototype.slice.call(part));
    }
  }
}

function serve(port: MessagePort, image: Ext4, data: unknown): void {
  const isRootDisk =
    typeof data === 'object' && data !== null && 'isRootDisk' in data && data.isRootDisk === true;
  const spares = new Spares();
  const send: Send = (head, payload) => post(port, spares, head, payload);
  const agent = new DiskAgent(image, send, { isRootDisk, spares });
  const frames = new FrameReader(
    (frame) => agent.receive(frame),
    () => maxRequest,
  );
  port.on('message', (message: unknown) => {
    if (message instanceof Uint8Array) {
      frames.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    } else if (message instanceof ArrayBuffer) {
      spares.give(message);
    } else if (message === 'ping') {
      port.postMessage({ busy: agent.busy } satisfies FromWorker);
    } else if (message === 'end') {
      void agent
        .end()
        .then((released) => port.postMessage({ released } satisfies FromWorker))
        .finally(() => port.close());
    }
  });
  send({ hello: protocol });
}

if (parentPort !== null && isFillData(workerData)) {
  serveFilling(parentPort, workerData.fill);
} else if (parentPort !== null) {
  try {
    serve(parentPort, open(workerData), workerData);
  } catch (error) {
    const { code, detail } = asDiskError(error);
    parentPort.postMessage({ failed: { code, detail } } satisfies FromWorker);
    parentPort.close();
  }
}
