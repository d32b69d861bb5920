// Eight bundles: the extension, the engine and what loads it, its workers for disks and for files of this machine, the network filter of microVMs, what ssh runs, the CLI. No native module is in any of them.
const { resolve } = require('node:path');
const { minify } = require('@swc/core');
const { BannerPlugin } = require('webpack');

const nativeModules = ({ request }, callback) => {
  if (/\.node$/.test(request) || request === 'cpu-features') {
    callback(null, `commonjs ${request}`);
    return;
  }
  callback();
};

/**
 * Docker's BuildKit sessions are not used, its SSH is by the user's own OpenSSH, the API is described in JSON only, the
 * server has compilers of schemas of its own, and makes no WebSocket without a network: what these need stays out.
 */
const unusedModules = {
  yaml: false,
  '@fastify/ajv-compiler': false,
  '@fastify/fast-json-stringify-compiler': false,
  duplexify: false,
  '@grpc/grpc-js': false,
  '@grpc/proto-loader': false,
  protobufjs: false,
  [require.resolve('docker-modem/lib/ssh')]: false,
};

/** ES modules until webpack has joined and shaken them: every kilobyte is load time. Types are checked by the compiler. */
const rules = [
  {
    test: /\.ts$/,
    exclude: /node_modules/,
    use: {
      loader: 'swc-loader',
      options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    },
  },
  { test: /node_modules\/ws\//, sideEffects: false },
];

/** Makes scripts small, in a tenth of the time that webpack's own way takes; comments with licences stay. */
class SwcMinimizer {
  /** @param {import('webpack').Compiler} compiler */
  apply(compiler) {
    const { Compilation, sources } = compiler.webpack;
    const name = SwcMinimizer.name;
    compiler.hooks.compilation.tap(name, (compilation) => {
      const stage = Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE;
      compilation.hooks.processAssets.tapPromise({ name, stage }, async (assets) => {
        const scripts = Object.keys(assets).filter((each) => each.endsWith('.js'));
        await Promise.all(
          scripts.map(async (each) => {
            const { code } = await minify(assets[each].source().toString(), {
              compress: { passes: 2, ecma: 2020 },
              mangle: true,
              ecma: 2020,
              module: false,
              // A single character beyond Latin-1 makes V8 keep the source, 2 MiB, with two bytes for each.
              format: { asciiOnly: true, comments: 'some' },
            });
            compilation.updateAsset(each, new sources.RawSource(code), { minimized: true });
          }),
        );
      });
    });
  }
}

const minimizer = [new SwcMinimizer()];

module.exports = (_env, { mode }) => {
  const bundle = (name, entry, { output, ...options } = {}) => ({
    name,
    mode,
    target: 'node20',
    entry: { [name]: entry },
    output: {
      path: resolve(__dirname, 'dist'),
      filename: '[name].js',
      libraryTarget: 'commonjs2',
      // import() stays lazy, inside the one file.
      asyncChunks: false,
      ...output,
    },
    devtool: mode === 'production' ? false : 'source-map',
    resolve: {
      extensions: ['.ts', '.js'],
      // TypeScript wants the compiled name in a dynamic import.
      extensionAlias: { '.js': ['.js', '.ts'] },
      alias: unusedModules,
    },
    // The loader's own require is Node's.
    module: { rules, parser: { javascript: { createRequire: false } } },
    optimization: { minimizer },
    // __dirname is the folder of the bundle: what is shipped beside it is found from there.
    node: { __dirname: false },
    performance: { hints: false },
    stats: 'errors-warnings',
    ignoreWarnings: [/Critical dependency/, /Can't resolve/],
    ...options,
  });
  return [
    bundle('extension', './src/extension.ts', {
      externals: [{ vscode: 'commonjs vscode' }, nativeModules],
      // What only terminals need, and what few commands need, are files of their own, read when they are first used.
      output: { asyncChunks: true, chunkFilename: 'extension-[name].js' },
      optimization: { splitChunks: false, minimizer },
    }),
    bundle('engine', './src/backend/loader.ts'),
    // Fastify reads HTTP/2 at its start, of which the engine has none: a twentieth of the engine's own start.
    bundle('engine-main', './src/backend/main.ts', {
      externals: [nativeModules, { 'node:http2': 'var {}' }],
    }),
    // The thread that a disk's image is opened in.
    bundle('disk-worker', './src/backend/files/disk/worker.ts'),
    // The thread that reads and writes files of this machine.
    bundle('local-files', './src/backend/files/local/worker.ts'),
    // The process between a microVM and the network.
    bundle('network-filter', './src/backend/drivers/microvms/network/main.ts'),
    // The way of ssh to a workspace that does not run.
    bundle('ssh-proxy', './src/client/ssh-proxy/main.ts', { externals: [nativeModules] }),
    bundle('cli', './src/cli/main.ts', {
      externals: [nativeModules],
      plugins: [new BannerPlugin({ banner: '#!/usr/bin/env node', raw: true })],
    }),
  ];
};
