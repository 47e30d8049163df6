// The report viewer: one script and one style sheet under fixed names, which the program writes
// into each report.html.
import { defineConfig, type Plugin } from 'vite';

/// Both files stand inside <script> and <style>: what would end or confuse those must not occur.
function staysInsideItsElement(): Plugin {
  return {
    name: 'stays-inside-its-element',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        const text = file.type === 'chunk' ? file.code : String(file.source);
        const found = /<\/(script|style)|<!--|<script/i.exec(text);
        if (found) this.error(`${file.fileName} contains "${found[0]}" and cannot stand inside a page`);
      }
    },
  };
}

export default defineConfig({
  plugins: [staysInsideItsElement()],
  publicDir: false,
  build: {
    outDir: 'dist/report',
    target: 'es2022',
    lib: {
      entry: 'report/main.ts',
      formats: ['iife'],
      name: 'AcesoReport',
      fileName: () => 'report.js',
      cssFileName: 'report',
    },
  },
});
