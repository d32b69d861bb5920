/**
 * Stands in for the native module with which VS Code's server writes its logs, and so the output channels of
 * extensions: nobody has compiled it where the server is installed without its scripts, and the channels stay empty.
 */
const { appendFileSync, mkdirSync, renameSync, statSync } = require('node:fs');
const { dirname, parse, format } = require('node:path');

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

class Logger {
  constructor(_type, _name, file, maxSize, maxFiles) {
    Object.assign(this, { file, maxSize, maxFiles, level: 0, isRaw: false });
    mkdirSync(dirname(file), { recursive: true });
    this.size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    // An empty log exists too: VS Code opens it before there is anything in it.
    appendFileSync(file, '');
  }

  trace = (message) => this.write(0, message);
  debug = (message) => this.write(1, message);
  info = (message) => this.write(2, message);
  warn = (message) => this.write(3, message);
  error = (message) => this.write(4, message);
  critical = (message) => this.write(5, message);

  getLevel = () => this.level;
  setLevel = (level) => (this.level = level);
  clearFormatters = () => (this.isRaw = true);
  /** VS Code knows one pattern, which `write` follows. */
  setPattern = () => (this.isRaw = false);
  flush = () => undefined;
  drop = () => undefined;

  write(level, message) {
    if (level < this.level) return;
    const text = this.isRaw ? message : `${now()} [${levels[level]}] ${message}\n`;
    const length = Buffer.byteLength(text);
    if (this.size > 0 && this.size + length > this.maxSize) this.rotate();
    appendFileSync(this.file, text);
    this.size += length;
  }

  rotate() {
    const { dir, name, ext } = parse(this.file);
    if (this.maxFiles > 1) renameSync(this.file, format({ dir, name: `${name}.1`, ext }));
    this.size = 0;
  }
}

function now() {
  const date = new Date();
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace('T', ' ').slice(0, -1);
}

const create = async (name, file, maxSize, maxFiles) => new Logger('', name, file, maxSize, maxFiles);

// One by one, because only so they are seen by an import of an ES module.
module.exports.version = 0;
module.exports.setLevel = () => undefined;
module.exports.setFlushOn = () => undefined;
module.exports.createRotatingLogger = create;
module.exports.createAsyncRotatingLogger = create;
module.exports.Logger = Logger;
