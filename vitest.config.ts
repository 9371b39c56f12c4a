import { defineConfig } from "vitest/config"

export default defineConfig({
  // The tests in the documentation import "hawser"; as with `npm run example`, that is the sources.
  ssr: { resolve: { conditions: ["hawser-source", "node", "import", "module", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/peers/**"],
    // Of two cores Vitest would use one. A machine that others work on needs patience besides.
    maxWorkers: 2,
    testTimeout: 20_000,
    coverage: { include: ["src/**/*.ts"] }
  }
})
