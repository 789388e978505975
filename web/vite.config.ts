import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { compress } from './build/compress.ts';

export default defineConfig({
  plugins: [react(), compress()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
});
