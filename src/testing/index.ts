/**
 * What tests of services and of Hawser itself need: laws, random input, and the violation that laws fail with.
 *
 * @since 0.1.0
 */

/** Laws of checksums and CRCs. @since 0.1.0 */
export * as ChecksumLaws from "./ChecksumLaws.ts"

/** Laws of codecs. @since 0.1.0 */
export * as CodecLaws from "./CodecLaws.ts"

/** Laws of connections, for whoever writes a transport. @since 0.1.0 */
export * as ConnectionLaws from "./ConnectionLaws.ts"

/** What a law is and how it is broken. @since 0.1.0 */
export * as Law from "./Law.ts"

/** Random bytes, texts and cuts. @since 0.1.0 */
export * as NetArbitrary from "./NetArbitrary.ts"
