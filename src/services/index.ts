/**
 * Ready-made services, written with the public modules only: `import { Echo } from "hawser/services"`.
 *
 * Each is a layer that needs a transport and is built when its port is bound.
 *
 * @since 0.1.0
 */
export * as CrcCheck from "./CrcCheck.ts"
export * as Echo from "./Echo.ts"
export * as Greet from "./Greet.ts"
export * as Noise from "./Noise.ts"
export * as ParityCheck from "./ParityCheck.ts"
export * as Reverse from "./Reverse.ts"
export * as Vowels from "./Vowels.ts"
