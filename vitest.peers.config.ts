import { defineConfig } from "vitest/config"

/** Tests against programs written elsewhere: `npm run test:peers` installs them first. */
export default defineConfig({
  test: {
    include: ["test/peers/**/*.test.ts"],
    testTimeout: 60_000,
    // The programs run beside the tests, which only wait for them.
    maxWorkers: 2
  }
})
