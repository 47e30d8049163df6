// The console: a page of static files that talks to the hub which serves it.
import react from '@vitejs/plugin-react';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';
import { rdkitWithoutEval } from './rdkit_without_eval';

export default defineConfig(({ mode }) => {
  // `ACESO_HUB_URL=http://127.0.0.1:PORT npm run dev` shows the sources against a running hub.
  const hub = loadEnv(mode, '.', 'ACESO_').ACESO_HUB_URL ?? 'http://127.0.0.1:8080';
  const proxy = {
    target: hub,
    changeOrigin: true,
    // The hub answers requests of its own origin only, so the development server takes that name.
    headers: { origin: hub },
  };
  return {
    plugins: [react()],
    build: {
      outDir: 'dist/console',
      target: 'es2022',
      // Inlined assets would be data: addresses, which the hub's content security policy forbids.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    // Scripts below workers/ are those that the hub lets use WebAssembly.
    worker: {
      format: 'es',
      plugins: () => [rdkitWithoutEval()],
      rollupOptions: { output: { entryFileNames: 'workers/[name]-[hash].js' } },
    },
    server: { proxy: { '/v1': proxy, '/login': proxy, '/logout': proxy } },
    test: { include: ['*.test.ts', 'src/**/*.test.ts', 'report/**/*.test.ts'] },
  };
});
