// Seven bundles: the extension, the engine and what loads it, its worker for disks, the network filter of microVMs, what ssh runs, the CLI. No native module is in any of them.
const { resolve } = require('node:path');
const { BannerPlugin } = require('webpack');

const nativeModules = ({ request }, callback) => {
  if (/\.node$/.test(request) || request === 'cpu-features') {
    callback(null, `commonjs ${request}`);
    return;
  }
  callback();
};

/**
 * Docker's BuildKit sessions are not used, its SSH is by the user's own OpenSSH, and the API is described in JSON only:
 * what these need stays out.
 */
const unusedModules = {
  yaml: false,
  '@grpc/grpc-js': false,
  '@grpc/proto-loader': false,
  protobufjs: false,
  [require.resolve('docker-modem/lib/ssh')]: false,
};

const typescript = (compilerOptions = {}) => ({
  test: /\.ts$/,
  exclude: /node_modules/,
  use: { loader: 'ts-loader', options: { transpileOnly: true, compilerOptions } },
});

/** ES modules until webpack has joined and shaken them: every kilobyte of the extension is load time. */
const shaken = {
  rules: [
    typescript({ module: 'esnext', moduleResolution: 'bundler' }),
    { test: /node_modules\/ws\//, sideEffects: false },
  ],
};

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
    module: { rules: [typescript()] },
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
      module: shaken,
      // What only terminals need, and what few commands need, are files of their own, read when they are first used.
      output: { asyncChunks: true, chunkFilename: 'extension-[name].js' },
      optimization: { splitChunks: false },
    }),
    bundle('engine', './src/backend/loader.ts'),
    // Fastify reads HTTP/2 at its start, of which the engine has none: a twentieth of the engine's own start.
    bundle('engine-main', './src/backend/main.ts', {
      externals: [nativeModules, { 'node:http2': 'var {}' }],
      // A single character beyond Latin-1 makes V8 keep the source, 2 MiB, with two bytes for each.
      optimization: {
        minimizeOptions: { javascript: { compress: { passes: 2 }, format: { ascii_only: true } } },
      },
    }),
    // The thread that a disk's image is opened in.
    bundle('disk-worker', './src/backend/files/disk/worker.ts', { module: shaken }),
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
