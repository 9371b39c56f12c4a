/**
 * The command-line program in few files: Node starts it in a third of the time that its hundreds of modules take. What a
 * command imports when it runs stays a file of its own. Each such import also splits what it shares with others into
 * further files, of which a dozen cost a start some milliseconds: so only what is large, or rare, is imported in that way.
 */
export default {
  input: "src/bin.ts",
  platform: "node",
  output: { dir: "dist", format: "esm", chunkFileNames: "program/[name]-[hash].js" }
}
