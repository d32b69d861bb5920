/** Which kernel modules a guest loads while it boots, and in which order. */

/** What `names` need, each after what it needs itself; paths relative to the folder of modules.dep. */
export function loadOrder(modulesDep: string, names: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  const paths = new Map<string, string>();
  for (const line of modulesDep.split('\n')) {
    const [path, list] = line.split(':');
    if (path !== undefined && list !== undefined) {
      needs.set(
        path,
        list.split(' ').filter((part) => part !== ''),
      );
      paths.set(moduleName(path), path);
    }
  }
  const order = new Set<string>();
  const add = (path: string): void => {
    if (!order.has(path)) {
      (needs.get(path) ?? []).forEach(add);
      order.add(path);
    }
  };
  names.forEach((name) => {
    // What is built into the kernel is not listed.
    const path = paths.get(moduleName(name));
    if (path !== undefined) {
      add(path);
    }
  });
  return [...order];
}

/** The kernel takes `-` and `_` for the same. */
function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

const signatureMark = Buffer.from('~Module signature appended~\n');
/** struct module_signature of kernel/module_signature.h; its last four bytes are the length, big-endian. */
const signatureFields = 12;

/** Without its signature, whose check takes an emulated processor longer than all else about loading it. */
export function withoutSignature(module: Buffer): Buffer {
  const fieldsEnd = module.length - signatureMark.length;
  if (fieldsEnd < signatureFields || !module.subarray(fieldsEnd).equals(signatureMark)) {
    return module;
  }
  const length = module.readUInt32BE(fieldsEnd - 4);
  const end = fieldsEnd - signatureFields - length;
  return end > 0 ? module.subarray(0, end) : module;
}
