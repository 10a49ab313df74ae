import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.e2e.ts"],
    testTimeout: 600_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    sequence: { concurrent: false },
    bail: 1,
    // What shall come about does, however busy the machine is.
    expect: { poll: { timeout: 30_000 } },
    reporters: ["verbose"],
  },
});
