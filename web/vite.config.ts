import { defineConfig } from "vitest/config";

// One classic script: a page includes it by one tag, so there are no chunks, no modules and no separate style sheet.
export default defineConfig({
  oxc: { jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment", development: false } },
  build: {
    outDir: "dist/widget",
    emptyOutDir: true,
    target: ["es2022", "safari16.4"],
    lib: { entry: "widget/main.ts", name: "KefuWidget", formats: ["iife"], fileName: () => "kefu.js" },
    reportCompressedSize: false,
  },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/support/setup.ts"],
    testTimeout: 5_000,
  },
});
