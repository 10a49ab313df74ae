import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { licences, sourcesDigest } from "./scripts/build-plugins.mjs";

const server = process.env.REHEARSE_SERVER ?? "http://127.0.0.1:7860";

export default defineConfig({
  plugins: [react(), licences(), sourcesDigest()],
  // Below any path: the page finds its parts, and the API, relative to its own address.
  base: "./",
  build: {
    outDir: "../src/rehearse/studio/app",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    sourcemap: false,
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], environment: "node" },
});
