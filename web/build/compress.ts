import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

/** Bytes of script that a page needs before it shows anything, gzip: a build that needs more fails. */
const MOST_SCRIPT = 200 * 1024;

/** Bytes of style, gzip: a build that needs more fails. */
const MOST_STYLE = 20 * 1024;

/** Writes each file in the encodings that browsers read beside it, and holds the build to its size. */
export function compress(): Plugin {
  let directory = 'dist';
  return {
    name: 'compress',
    apply: 'build',
    configResolved(config) {
      directory = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const page = await readFile(join(directory, 'index.html'), 'utf8');
      let script = 0;
      let style = 0;
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = await readFile(path);
        const small = gzipSync(content, { level: 9 });
        await writeFile(`${path}.gz`, small);
        await writeFile(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        if (entry.name.endsWith('.js') && page.includes(entry.name)) script += small.length;
        if (entry.name.endsWith('.css')) style += small.length;
      }
      const size = `initial script ${kilobytes(script)}, style ${kilobytes(style)} (gzip)`;
      if (script > MOST_SCRIPT || style > MOST_STYLE) throw new Error(`too large: ${size}`);
      console.log(size);
    },
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
