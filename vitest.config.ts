import { defineConfig } from "vitest/config"

export default defineConfig({
  // The tests in the documentation import "hawser"; as with `npm run example`, that is the sources.
  ssr: { resolve: { conditions: ["hawser-source", "node", "import", "module", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/peers/**"],
    coverage: { include: ["src/**/*.ts"] }
  }
})
