/**
 * Joins the modules of a build: each entry of the package becomes one file, and what several share a few more. Node
 * needs longer to find, read and link three hundred small modules than to run them. Types stay as they are, one file for
 * each source. The command line is left alone: it loads what a command needs.
 *
 *     node tools/bundle.js dist
 *
 * @module
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './lib/root.js';

const dist = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
const src = path.join(dist, 'src');
const joined = path.join(dist, 'joined');

/**
 * The entries of the package, by their place below src/: `client/index`.
 * @returns {Record<string, string>} the compiled file of each
 */
function entries() {
  /** @type {{ exports: Record<string, unknown> }} */
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const targets = Object.values(exports).filter((target) => typeof target === 'string');
  const places = targets.filter((target) => target.startsWith('./dist/src/')).map((target) => target.slice(11, -3));
  const found = places.map((place) => /** @type {const} */ ([place, path.join(src, `${place}.js`)]));
  return Object.fromEntries(found.filter(([, file]) => existsSync(file)));
}

/**
 * Deletes the compiled modules of a folder and leaves their declarations.
 * @param {string} folder
 */
function dropModules(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) dropModules(file);
    else if (/\.js(\.map)?$/.test(entry.name)) rmSync(file);
  }
}

const bundle = await rolldown({
  input: entries(),
  platform: 'node',
  // Whatever is no file of ours.
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id),
  // Everything stays: what is not needed is not imported.
  treeshake: false,
  plugins: [
    {
      name: 'compiled',
      // With the maps of the compiler, so that those of the bundle lead to the sources.
      load(id) {
        const code = readFileSync(id, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
        return { code, map: existsSync(`${id}.map`) ? readFileSync(`${id}.map`, 'utf8') : null };
      },
    },
  ],
});
await bundle.write({
  dir: joined,
  format: 'esm',
  sourcemap: true,
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name].js',
});
await bundle.close();
dropModules(src);
cpSync(joined, src, { recursive: true });
rmSync(joined, { recursive: true });
