/** The constants of `CrcCatalogue`. Written by scripts/crcCatalogue.ts. */
import { type Algorithm, narrow, wide } from "./crcAlgorithm.ts"

/** CRC-3/GSM. @category 3 bits @since 0.1.0 */
export const crc3Gsm = /* @__PURE__ */ narrow({
  name: "CRC-3/GSM",
  widthBits: 3,
  poly: 0x3,
  init: 0x0,
  refin: false,
  refout: false,
  xorout: 0x7,
  check: 0x4,
  residue: 0x2,
  class: "academic",
  aliases: []
})

/** CRC-3/ROHC. @category 3 bits @since 0.1.0 */
export const crc3Rohc = /* @__PURE__ */ narrow({
  name: "CRC-3/ROHC",
  widthBits: 3,
  poly: 0x3,
  init: 0x7,
  refin: true,
  refout: true,
  xorout: 0x0,
  check: 0x6,
  residue: 0x0,
  class: "academic",
  aliases: []
})

/** CRC-4/G-704, also CRC-4/ITU. @category 4 bits @since 0.1.0 */
export const crc4G704 = /* @__PURE__ */ narrow({
  name: "CRC-4/G-704",
  widthBits: 4,
  poly: 0x3,
  init: 0x0,
  refin: true,
  refout: true,
  xorout: 0x0,
  check: 0x7,
  residue: 0x0,
  class: "academic",
  aliases: ["CRC-4/ITU"]
})

/** CRC-4/INTERLAKEN. @category 4 bits @since 0.1.0 */
export const crc4Interlaken = /* @__PURE__ */ narrow({
  name: "CRC-4/INTERLAKEN",
  widthBits: 4,
  poly: 0x3,
  init: 0xf,
  refin: false,
  refout: false,
  xorout: 0xf,
  check: 0xb,
  residue: 0x2,
  class: "academic",
  aliases: []
})

/** CRC-5/EPC-C1G2, also CRC-5/EPC. @category 5 bits @since 0.1.0 */
export const crc5EpcC1g2 = /* @__PURE__ */ narrow({
  name: "CRC-5/EPC-C1G2",
  widthBits: 5,
  poly: 0x09,
  init: 0x09,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x00,
  residue: 0x00,
  class: "attested",
  aliases: ["CRC-5/EPC"]
})

/** CRC-5/G-704, also CRC-5/ITU. @category 5 bits @since 0.1.0 */
export const crc5G704 = /* @__PURE__ */ narrow({
  name: "CRC-5/G-704",
  widthBits: 5,
  poly: 0x15,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x07,
  residue: 0x00,
  class: "academic",
  aliases: ["CRC-5/ITU"]
})

/** CRC-5/USB. @category 5 bits @since 0.1.0 */
export const crc5Usb = /* @__PURE__ */ narrow({
  name: "CRC-5/USB",
  widthBits: 5,
  poly: 0x05,
  init: 0x1f,
  refin: true,
  refout: true,
  xorout: 0x1f,
  check: 0x19,
  residue: 0x06,
  class: "confirmed",
  aliases: []
})

/** CRC-6/CDMA2000-A. @category 6 bits @since 0.1.0 */
export const crc6Cdma2000A = /* @__PURE__ */ narrow({
  name: "CRC-6/CDMA2000-A",
  widthBits: 6,
  poly: 0x27,
  init: 0x3f,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x0d,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-6/CDMA2000-B. @category 6 bits @since 0.1.0 */
export const crc6Cdma2000B = /* @__PURE__ */ narrow({
  name: "CRC-6/CDMA2000-B",
  widthBits: 6,
  poly: 0x07,
  init: 0x3f,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x3b,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-6/DARC. @category 6 bits @since 0.1.0 */
export const crc6Darc = /* @__PURE__ */ narrow({
  name: "CRC-6/DARC",
  widthBits: 6,
  poly: 0x19,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x26,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-6/G-704, also CRC-6/ITU. @category 6 bits @since 0.1.0 */
export const crc6G704 = /* @__PURE__ */ narrow({
  name: "CRC-6/G-704",
  widthBits: 6,
  poly: 0x03,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x06,
  residue: 0x00,
  class: "academic",
  aliases: ["CRC-6/ITU"]
})

/** CRC-6/GSM. @category 6 bits @since 0.1.0 */
export const crc6Gsm = /* @__PURE__ */ narrow({
  name: "CRC-6/GSM",
  widthBits: 6,
  poly: 0x2f,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x3f,
  check: 0x13,
  residue: 0x3a,
  class: "academic",
  aliases: []
})

/** CRC-7/MMC, also CRC-7. @category 7 bits @since 0.1.0 */
export const crc7Mmc = /* @__PURE__ */ narrow({
  name: "CRC-7/MMC",
  widthBits: 7,
  poly: 0x09,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x75,
  residue: 0x00,
  class: "academic",
  aliases: ["CRC-7"]
})

/** CRC-7/ROHC. @category 7 bits @since 0.1.0 */
export const crc7Rohc = /* @__PURE__ */ narrow({
  name: "CRC-7/ROHC",
  widthBits: 7,
  poly: 0x4f,
  init: 0x7f,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x53,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-7/UMTS. @category 7 bits @since 0.1.0 */
export const crc7Umts = /* @__PURE__ */ narrow({
  name: "CRC-7/UMTS",
  widthBits: 7,
  poly: 0x45,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x61,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/AUTOSAR. @category 8 bits @since 0.1.0 */
export const crc8Autosar = /* @__PURE__ */ narrow({
  name: "CRC-8/AUTOSAR",
  widthBits: 8,
  poly: 0x2f,
  init: 0xff,
  refin: false,
  refout: false,
  xorout: 0xff,
  check: 0xdf,
  residue: 0x42,
  class: "attested",
  aliases: []
})

/** CRC-8/BLUETOOTH. @category 8 bits @since 0.1.0 */
export const crc8Bluetooth = /* @__PURE__ */ narrow({
  name: "CRC-8/BLUETOOTH",
  widthBits: 8,
  poly: 0xa7,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x26,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/CDMA2000. @category 8 bits @since 0.1.0 */
export const crc8Cdma2000 = /* @__PURE__ */ narrow({
  name: "CRC-8/CDMA2000",
  widthBits: 8,
  poly: 0x9b,
  init: 0xff,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xda,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/DARC. @category 8 bits @since 0.1.0 */
export const crc8Darc = /* @__PURE__ */ narrow({
  name: "CRC-8/DARC",
  widthBits: 8,
  poly: 0x39,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x15,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/DVB-S2. @category 8 bits @since 0.1.0 */
export const crc8DvbS2 = /* @__PURE__ */ narrow({
  name: "CRC-8/DVB-S2",
  widthBits: 8,
  poly: 0xd5,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xbc,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/GSM-A. @category 8 bits @since 0.1.0 */
export const crc8GsmA = /* @__PURE__ */ narrow({
  name: "CRC-8/GSM-A",
  widthBits: 8,
  poly: 0x1d,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x37,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/GSM-B. @category 8 bits @since 0.1.0 */
export const crc8GsmB = /* @__PURE__ */ narrow({
  name: "CRC-8/GSM-B",
  widthBits: 8,
  poly: 0x49,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0xff,
  check: 0x94,
  residue: 0x53,
  class: "academic",
  aliases: []
})

/** CRC-8/HITAG. @category 8 bits @since 0.1.0 */
export const crc8Hitag = /* @__PURE__ */ narrow({
  name: "CRC-8/HITAG",
  widthBits: 8,
  poly: 0x1d,
  init: 0xff,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xb4,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/I-432-1, also CRC-8/ITU. @category 8 bits @since 0.1.0 */
export const crc8I432_1 = /* @__PURE__ */ narrow({
  name: "CRC-8/I-432-1",
  widthBits: 8,
  poly: 0x07,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x55,
  check: 0xa1,
  residue: 0xac,
  class: "academic",
  aliases: ["CRC-8/ITU"]
})

/** CRC-8/I-CODE. @category 8 bits @since 0.1.0 */
export const crc8ICode = /* @__PURE__ */ narrow({
  name: "CRC-8/I-CODE",
  widthBits: 8,
  poly: 0x1d,
  init: 0xfd,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x7e,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/LTE. @category 8 bits @since 0.1.0 */
export const crc8Lte = /* @__PURE__ */ narrow({
  name: "CRC-8/LTE",
  widthBits: 8,
  poly: 0x9b,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xea,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/MAXIM-DOW, also CRC-8/MAXIM, DOW-CRC. @category 8 bits @since 0.1.0 */
export const crc8MaximDow = /* @__PURE__ */ narrow({
  name: "CRC-8/MAXIM-DOW",
  widthBits: 8,
  poly: 0x31,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0xa1,
  residue: 0x00,
  class: "attested",
  aliases: ["CRC-8/MAXIM", "DOW-CRC"]
})

/** CRC-8/MIFARE-MAD. @category 8 bits @since 0.1.0 */
export const crc8MifareMad = /* @__PURE__ */ narrow({
  name: "CRC-8/MIFARE-MAD",
  widthBits: 8,
  poly: 0x1d,
  init: 0xc7,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x99,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/NRSC-5. @category 8 bits @since 0.1.0 */
export const crc8Nrsc5 = /* @__PURE__ */ narrow({
  name: "CRC-8/NRSC-5",
  widthBits: 8,
  poly: 0x31,
  init: 0xff,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xf7,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/OPENSAFETY. @category 8 bits @since 0.1.0 */
export const crc8Opensafety = /* @__PURE__ */ narrow({
  name: "CRC-8/OPENSAFETY",
  widthBits: 8,
  poly: 0x2f,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0x3e,
  residue: 0x00,
  class: "attested",
  aliases: []
})

/** CRC-8/ROHC. @category 8 bits @since 0.1.0 */
export const crc8Rohc = /* @__PURE__ */ narrow({
  name: "CRC-8/ROHC",
  widthBits: 8,
  poly: 0x07,
  init: 0xff,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0xd0,
  residue: 0x00,
  class: "academic",
  aliases: []
})

/** CRC-8/SAE-J1850. @category 8 bits @since 0.1.0 */
export const crc8SaeJ1850 = /* @__PURE__ */ narrow({
  name: "CRC-8/SAE-J1850",
  widthBits: 8,
  poly: 0x1d,
  init: 0xff,
  refin: false,
  refout: false,
  xorout: 0xff,
  check: 0x4b,
  residue: 0xc4,
  class: "attested",
  aliases: []
})

/** CRC-8/SMBUS, also CRC-8. @category 8 bits @since 0.1.0 */
export const crc8Smbus = /* @__PURE__ */ narrow({
  name: "CRC-8/SMBUS",
  widthBits: 8,
  poly: 0x07,
  init: 0x00,
  refin: false,
  refout: false,
  xorout: 0x00,
  check: 0xf4,
  residue: 0x00,
  class: "attested",
  aliases: ["CRC-8"]
})

/** CRC-8/TECH-3250, also CRC-8/AES, CRC-8/EBU. @category 8 bits @since 0.1.0 */
export const crc8Tech3250 = /* @__PURE__ */ narrow({
  name: "CRC-8/TECH-3250",
  widthBits: 8,
  poly: 0x1d,
  init: 0xff,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x97,
  residue: 0x00,
  class: "attested",
  aliases: ["CRC-8/AES", "CRC-8/EBU"]
})

/** CRC-8/WCDMA. @category 8 bits @since 0.1.0 */
export const crc8Wcdma = /* @__PURE__ */ narrow({
  name: "CRC-8/WCDMA",
  widthBits: 8,
  poly: 0x9b,
  init: 0x00,
  refin: true,
  refout: true,
  xorout: 0x00,
  check: 0x25,
  residue: 0x00,
  class: "third-party",
  aliases: []
})

/** CRC-10/ATM, also CRC-10, CRC-10/I-610. @category 10 bits @since 0.1.0 */
export const crc10Atm = /* @__PURE__ */ narrow({
  name: "CRC-10/ATM",
  widthBits: 10,
  poly: 0x233,
  init: 0x000,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0x199,
  residue: 0x000,
  class: "attested",
  aliases: ["CRC-10", "CRC-10/I-610"]
})

/** CRC-10/CDMA2000. @category 10 bits @since 0.1.0 */
export const crc10Cdma2000 = /* @__PURE__ */ narrow({
  name: "CRC-10/CDMA2000",
  widthBits: 10,
  poly: 0x3d9,
  init: 0x3ff,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0x233,
  residue: 0x000,
  class: "academic",
  aliases: []
})

/** CRC-10/GSM. @category 10 bits @since 0.1.0 */
export const crc10Gsm = /* @__PURE__ */ narrow({
  name: "CRC-10/GSM",
  widthBits: 10,
  poly: 0x175,
  init: 0x000,
  refin: false,
  refout: false,
  xorout: 0x3ff,
  check: 0x12a,
  residue: 0x0c6,
  class: "academic",
  aliases: []
})

/** CRC-11/FLEXRAY, also CRC-11. @category 11 bits @since 0.1.0 */
export const crc11Flexray = /* @__PURE__ */ narrow({
  name: "CRC-11/FLEXRAY",
  widthBits: 11,
  poly: 0x385,
  init: 0x01a,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0x5a3,
  residue: 0x000,
  class: "attested",
  aliases: ["CRC-11"]
})

/** CRC-11/UMTS. @category 11 bits @since 0.1.0 */
export const crc11Umts = /* @__PURE__ */ narrow({
  name: "CRC-11/UMTS",
  widthBits: 11,
  poly: 0x307,
  init: 0x000,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0x061,
  residue: 0x000,
  class: "academic",
  aliases: []
})

/** CRC-12/CDMA2000. @category 12 bits @since 0.1.0 */
export const crc12Cdma2000 = /* @__PURE__ */ narrow({
  name: "CRC-12/CDMA2000",
  widthBits: 12,
  poly: 0xf13,
  init: 0xfff,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0xd4d,
  residue: 0x000,
  class: "academic",
  aliases: []
})

/** CRC-12/DECT, also X-CRC-12, CRC-12-X. @category 12 bits @since 0.1.0 */
export const crc12Dect = /* @__PURE__ */ narrow({
  name: "CRC-12/DECT",
  widthBits: 12,
  poly: 0x80f,
  init: 0x000,
  refin: false,
  refout: false,
  xorout: 0x000,
  check: 0xf5b,
  residue: 0x000,
  class: "academic",
  aliases: ["X-CRC-12", "CRC-12-X"]
})

/** CRC-12/GSM. @category 12 bits @since 0.1.0 */
export const crc12Gsm = /* @__PURE__ */ narrow({
  name: "CRC-12/GSM",
  widthBits: 12,
  poly: 0xd31,
  init: 0x000,
  refin: false,
  refout: false,
  xorout: 0xfff,
  check: 0xb34,
  residue: 0x178,
  class: "academic",
  aliases: []
})

/** CRC-12/UMTS, also CRC-12/3GPP. @category 12 bits @since 0.1.0 */
export const crc12Umts = /* @__PURE__ */ narrow({
  name: "CRC-12/UMTS",
  widthBits: 12,
  poly: 0x80f,
  init: 0x000,
  refin: false,
  refout: true,
  xorout: 0x000,
  check: 0xdaf,
  residue: 0x000,
  class: "academic",
  aliases: ["CRC-12/3GPP"]
})

/** CRC-13/BBC. @category 13 bits @since 0.1.0 */
export const crc13Bbc = /* @__PURE__ */ narrow({
  name: "CRC-13/BBC",
  widthBits: 13,
  poly: 0x1cf5,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x04fa,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-14/DARC. @category 14 bits @since 0.1.0 */
export const crc14Darc = /* @__PURE__ */ narrow({
  name: "CRC-14/DARC",
  widthBits: 14,
  poly: 0x0805,
  init: 0x0000,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x082d,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-14/GSM. @category 14 bits @since 0.1.0 */
export const crc14Gsm = /* @__PURE__ */ narrow({
  name: "CRC-14/GSM",
  widthBits: 14,
  poly: 0x202d,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x3fff,
  check: 0x30ae,
  residue: 0x031e,
  class: "academic",
  aliases: []
})

/** CRC-15/CAN, also CRC-15. @category 15 bits @since 0.1.0 */
export const crc15Can = /* @__PURE__ */ narrow({
  name: "CRC-15/CAN",
  widthBits: 15,
  poly: 0x4599,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x059e,
  residue: 0x0000,
  class: "academic",
  aliases: ["CRC-15"]
})

/** CRC-15/MPT1327. @category 15 bits @since 0.1.0 */
export const crc15Mpt1327 = /* @__PURE__ */ narrow({
  name: "CRC-15/MPT1327",
  widthBits: 15,
  poly: 0x6815,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0001,
  check: 0x2566,
  residue: 0x6815,
  class: "attested",
  aliases: []
})

/** CRC-16/ARC, also ARC, CRC-16, CRC-16/LHA, CRC-IBM. @category 16 bits @since 0.1.0 */
export const crc16Arc = /* @__PURE__ */ narrow({
  name: "CRC-16/ARC",
  widthBits: 16,
  poly: 0x8005,
  init: 0x0000,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0xbb3d,
  residue: 0x0000,
  class: "attested",
  aliases: ["ARC", "CRC-16", "CRC-16/LHA", "CRC-IBM"]
})

/** CRC-16/CDMA2000. @category 16 bits @since 0.1.0 */
export const crc16Cdma2000 = /* @__PURE__ */ narrow({
  name: "CRC-16/CDMA2000",
  widthBits: 16,
  poly: 0xc867,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x4c06,
  residue: 0x0000,
  class: "academic",
  aliases: []
})

/** CRC-16/CMS. @category 16 bits @since 0.1.0 */
export const crc16Cms = /* @__PURE__ */ narrow({
  name: "CRC-16/CMS",
  widthBits: 16,
  poly: 0x8005,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0xaee7,
  residue: 0x0000,
  class: "third-party",
  aliases: []
})

/** CRC-16/DDS-110. @category 16 bits @since 0.1.0 */
export const crc16Dds110 = /* @__PURE__ */ narrow({
  name: "CRC-16/DDS-110",
  widthBits: 16,
  poly: 0x8005,
  init: 0x800d,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x9ecf,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/DECT-R, also R-CRC-16. @category 16 bits @since 0.1.0 */
export const crc16DectR = /* @__PURE__ */ narrow({
  name: "CRC-16/DECT-R",
  widthBits: 16,
  poly: 0x0589,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0001,
  check: 0x007e,
  residue: 0x0589,
  class: "attested",
  aliases: ["R-CRC-16"]
})

/** CRC-16/DECT-X, also X-CRC-16. @category 16 bits @since 0.1.0 */
export const crc16DectX = /* @__PURE__ */ narrow({
  name: "CRC-16/DECT-X",
  widthBits: 16,
  poly: 0x0589,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x007f,
  residue: 0x0000,
  class: "attested",
  aliases: ["X-CRC-16"]
})

/** CRC-16/DNP. @category 16 bits @since 0.1.0 */
export const crc16Dnp = /* @__PURE__ */ narrow({
  name: "CRC-16/DNP",
  widthBits: 16,
  poly: 0x3d65,
  init: 0x0000,
  refin: true,
  refout: true,
  xorout: 0xffff,
  check: 0xea82,
  residue: 0x66c5,
  class: "confirmed",
  aliases: []
})

/** CRC-16/EN-13757. @category 16 bits @since 0.1.0 */
export const crc16En13757 = /* @__PURE__ */ narrow({
  name: "CRC-16/EN-13757",
  widthBits: 16,
  poly: 0x3d65,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0xffff,
  check: 0xc2b7,
  residue: 0xa366,
  class: "confirmed",
  aliases: []
})

/** CRC-16/GENIBUS, also CRC-16/DARC, CRC-16/EPC, CRC-16/EPC-C1G2, CRC-16/I-CODE. @category 16 bits @since 0.1.0 */
export const crc16Genibus = /* @__PURE__ */ narrow({
  name: "CRC-16/GENIBUS",
  widthBits: 16,
  poly: 0x1021,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0xffff,
  check: 0xd64e,
  residue: 0x1d0f,
  class: "attested",
  aliases: ["CRC-16/DARC", "CRC-16/EPC", "CRC-16/EPC-C1G2", "CRC-16/I-CODE"]
})

/** CRC-16/GSM. @category 16 bits @since 0.1.0 */
export const crc16Gsm = /* @__PURE__ */ narrow({
  name: "CRC-16/GSM",
  widthBits: 16,
  poly: 0x1021,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0xffff,
  check: 0xce3c,
  residue: 0x1d0f,
  class: "attested",
  aliases: []
})

/** CRC-16/IBM-3740, also CRC-16/AUTOSAR, CRC-16/CCITT-FALSE. @category 16 bits @since 0.1.0 */
export const crc16Ibm3740 = /* @__PURE__ */ narrow({
  name: "CRC-16/IBM-3740",
  widthBits: 16,
  poly: 0x1021,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x29b1,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-16/AUTOSAR", "CRC-16/CCITT-FALSE"]
})

/**
 * CRC-16/IBM-SDLC, also CRC-16/ISO-HDLC, CRC-16/ISO-IEC-14443-3-B, CRC-16/X-25, CRC-B, X-25.
 *
 * @category 16 bits
 * @since 0.1.0
 */
export const crc16IbmSdlc = /* @__PURE__ */ narrow({
  name: "CRC-16/IBM-SDLC",
  widthBits: 16,
  poly: 0x1021,
  init: 0xffff,
  refin: true,
  refout: true,
  xorout: 0xffff,
  check: 0x906e,
  residue: 0xf0b8,
  class: "attested",
  aliases: ["CRC-16/ISO-HDLC", "CRC-16/ISO-IEC-14443-3-B", "CRC-16/X-25", "CRC-B", "X-25"]
})

/** CRC-16/ISO-IEC-14443-3-A, also CRC-A. @category 16 bits @since 0.1.0 */
export const crc16IsoIec14443_3A = /* @__PURE__ */ narrow({
  name: "CRC-16/ISO-IEC-14443-3-A",
  widthBits: 16,
  poly: 0x1021,
  init: 0xc6c6,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0xbf05,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-A"]
})

/**
 * CRC-16/KERMIT, also CRC-16/BLUETOOTH, CRC-16/CCITT, CRC-16/CCITT-TRUE, CRC-16/V-41-LSB, CRC-CCITT, KERMIT.
 *
 * @category 16 bits
 * @since 0.1.0
 */
export const crc16Kermit = /* @__PURE__ */ narrow({
  name: "CRC-16/KERMIT",
  widthBits: 16,
  poly: 0x1021,
  init: 0x0000,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x2189,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-16/BLUETOOTH", "CRC-16/CCITT", "CRC-16/CCITT-TRUE", "CRC-16/V-41-LSB", "CRC-CCITT", "KERMIT"]
})

/** CRC-16/LJ1200. @category 16 bits @since 0.1.0 */
export const crc16Lj1200 = /* @__PURE__ */ narrow({
  name: "CRC-16/LJ1200",
  widthBits: 16,
  poly: 0x6f63,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0xbdf4,
  residue: 0x0000,
  class: "third-party",
  aliases: []
})

/** CRC-16/M17. @category 16 bits @since 0.1.0 */
export const crc16M17 = /* @__PURE__ */ narrow({
  name: "CRC-16/M17",
  widthBits: 16,
  poly: 0x5935,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x772b,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/MAXIM-DOW, also CRC-16/MAXIM. @category 16 bits @since 0.1.0 */
export const crc16MaximDow = /* @__PURE__ */ narrow({
  name: "CRC-16/MAXIM-DOW",
  widthBits: 16,
  poly: 0x8005,
  init: 0x0000,
  refin: true,
  refout: true,
  xorout: 0xffff,
  check: 0x44c2,
  residue: 0xb001,
  class: "attested",
  aliases: ["CRC-16/MAXIM"]
})

/** CRC-16/MCRF4XX. @category 16 bits @since 0.1.0 */
export const crc16Mcrf4xx = /* @__PURE__ */ narrow({
  name: "CRC-16/MCRF4XX",
  widthBits: 16,
  poly: 0x1021,
  init: 0xffff,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x6f91,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/MODBUS, also MODBUS. @category 16 bits @since 0.1.0 */
export const crc16Modbus = /* @__PURE__ */ narrow({
  name: "CRC-16/MODBUS",
  widthBits: 16,
  poly: 0x8005,
  init: 0xffff,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x4b37,
  residue: 0x0000,
  class: "attested",
  aliases: ["MODBUS"]
})

/** CRC-16/NRSC-5. @category 16 bits @since 0.1.0 */
export const crc16Nrsc5 = /* @__PURE__ */ narrow({
  name: "CRC-16/NRSC-5",
  widthBits: 16,
  poly: 0x080b,
  init: 0xffff,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0xa066,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/OPENSAFETY-A. @category 16 bits @since 0.1.0 */
export const crc16OpensafetyA = /* @__PURE__ */ narrow({
  name: "CRC-16/OPENSAFETY-A",
  widthBits: 16,
  poly: 0x5935,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x5d38,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/OPENSAFETY-B. @category 16 bits @since 0.1.0 */
export const crc16OpensafetyB = /* @__PURE__ */ narrow({
  name: "CRC-16/OPENSAFETY-B",
  widthBits: 16,
  poly: 0x755b,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x20fe,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/PROFIBUS, also CRC-16/IEC-61158-2. @category 16 bits @since 0.1.0 */
export const crc16Profibus = /* @__PURE__ */ narrow({
  name: "CRC-16/PROFIBUS",
  widthBits: 16,
  poly: 0x1dcf,
  init: 0xffff,
  refin: false,
  refout: false,
  xorout: 0xffff,
  check: 0xa819,
  residue: 0xe394,
  class: "attested",
  aliases: ["CRC-16/IEC-61158-2"]
})

/** CRC-16/RIELLO. @category 16 bits @since 0.1.0 */
export const crc16Riello = /* @__PURE__ */ narrow({
  name: "CRC-16/RIELLO",
  widthBits: 16,
  poly: 0x1021,
  init: 0xb2aa,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x63d0,
  residue: 0x0000,
  class: "third-party",
  aliases: []
})

/** CRC-16/SPI-FUJITSU, also CRC-16/AUG-CCITT. @category 16 bits @since 0.1.0 */
export const crc16SpiFujitsu = /* @__PURE__ */ narrow({
  name: "CRC-16/SPI-FUJITSU",
  widthBits: 16,
  poly: 0x1021,
  init: 0x1d0f,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0xe5cc,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-16/AUG-CCITT"]
})

/** CRC-16/T10-DIF. @category 16 bits @since 0.1.0 */
export const crc16T10Dif = /* @__PURE__ */ narrow({
  name: "CRC-16/T10-DIF",
  widthBits: 16,
  poly: 0x8bb7,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0xd0db,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/TELEDISK. @category 16 bits @since 0.1.0 */
export const crc16Teledisk = /* @__PURE__ */ narrow({
  name: "CRC-16/TELEDISK",
  widthBits: 16,
  poly: 0xa097,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x0fb3,
  residue: 0x0000,
  class: "confirmed",
  aliases: []
})

/** CRC-16/TMS37157. @category 16 bits @since 0.1.0 */
export const crc16Tms37157 = /* @__PURE__ */ narrow({
  name: "CRC-16/TMS37157",
  widthBits: 16,
  poly: 0x1021,
  init: 0x89ec,
  refin: true,
  refout: true,
  xorout: 0x0000,
  check: 0x26b1,
  residue: 0x0000,
  class: "attested",
  aliases: []
})

/** CRC-16/UMTS, also CRC-16/BUYPASS, CRC-16/VERIFONE. @category 16 bits @since 0.1.0 */
export const crc16Umts = /* @__PURE__ */ narrow({
  name: "CRC-16/UMTS",
  widthBits: 16,
  poly: 0x8005,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0xfee8,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-16/BUYPASS", "CRC-16/VERIFONE"]
})

/** CRC-16/USB. @category 16 bits @since 0.1.0 */
export const crc16Usb = /* @__PURE__ */ narrow({
  name: "CRC-16/USB",
  widthBits: 16,
  poly: 0x8005,
  init: 0xffff,
  refin: true,
  refout: true,
  xorout: 0xffff,
  check: 0xb4c8,
  residue: 0xb001,
  class: "confirmed",
  aliases: []
})

/** CRC-16/XMODEM, also CRC-16/ACORN, CRC-16/LTE, CRC-16/V-41-MSB, XMODEM, ZMODEM. @category 16 bits @since 0.1.0 */
export const crc16Xmodem = /* @__PURE__ */ narrow({
  name: "CRC-16/XMODEM",
  widthBits: 16,
  poly: 0x1021,
  init: 0x0000,
  refin: false,
  refout: false,
  xorout: 0x0000,
  check: 0x31c3,
  residue: 0x0000,
  class: "attested",
  aliases: ["CRC-16/ACORN", "CRC-16/LTE", "CRC-16/V-41-MSB", "XMODEM", "ZMODEM"]
})

/** CRC-17/CAN-FD. @category 17 bits @since 0.1.0 */
export const crc17CanFd = /* @__PURE__ */ narrow({
  name: "CRC-17/CAN-FD",
  widthBits: 17,
  poly: 0x1685b,
  init: 0x00000,
  refin: false,
  refout: false,
  xorout: 0x00000,
  check: 0x04f03,
  residue: 0x00000,
  class: "academic",
  aliases: []
})

/** CRC-21/CAN-FD. @category 21 bits @since 0.1.0 */
export const crc21CanFd = /* @__PURE__ */ narrow({
  name: "CRC-21/CAN-FD",
  widthBits: 21,
  poly: 0x102899,
  init: 0x000000,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0x0ed841,
  residue: 0x000000,
  class: "academic",
  aliases: []
})

/** CRC-24/BLE. @category 24 bits @since 0.1.0 */
export const crc24Ble = /* @__PURE__ */ narrow({
  name: "CRC-24/BLE",
  widthBits: 24,
  poly: 0x00065b,
  init: 0x555555,
  refin: true,
  refout: true,
  xorout: 0x000000,
  check: 0xc25a56,
  residue: 0x000000,
  class: "attested",
  aliases: []
})

/** CRC-24/FLEXRAY-A. @category 24 bits @since 0.1.0 */
export const crc24FlexrayA = /* @__PURE__ */ narrow({
  name: "CRC-24/FLEXRAY-A",
  widthBits: 24,
  poly: 0x5d6dcb,
  init: 0xfedcba,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0x7979bd,
  residue: 0x000000,
  class: "attested",
  aliases: []
})

/** CRC-24/FLEXRAY-B. @category 24 bits @since 0.1.0 */
export const crc24FlexrayB = /* @__PURE__ */ narrow({
  name: "CRC-24/FLEXRAY-B",
  widthBits: 24,
  poly: 0x5d6dcb,
  init: 0xabcdef,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0x1f23b8,
  residue: 0x000000,
  class: "attested",
  aliases: []
})

/** CRC-24/INTERLAKEN. @category 24 bits @since 0.1.0 */
export const crc24Interlaken = /* @__PURE__ */ narrow({
  name: "CRC-24/INTERLAKEN",
  widthBits: 24,
  poly: 0x328b63,
  init: 0xffffff,
  refin: false,
  refout: false,
  xorout: 0xffffff,
  check: 0xb4f3e6,
  residue: 0x144e63,
  class: "academic",
  aliases: []
})

/** CRC-24/LTE-A. @category 24 bits @since 0.1.0 */
export const crc24LteA = /* @__PURE__ */ narrow({
  name: "CRC-24/LTE-A",
  widthBits: 24,
  poly: 0x864cfb,
  init: 0x000000,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0xcde703,
  residue: 0x000000,
  class: "academic",
  aliases: []
})

/** CRC-24/LTE-B. @category 24 bits @since 0.1.0 */
export const crc24LteB = /* @__PURE__ */ narrow({
  name: "CRC-24/LTE-B",
  widthBits: 24,
  poly: 0x800063,
  init: 0x000000,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0x23ef52,
  residue: 0x000000,
  class: "academic",
  aliases: []
})

/** CRC-24/OPENPGP, also CRC-24. @category 24 bits @since 0.1.0 */
export const crc24Openpgp = /* @__PURE__ */ narrow({
  name: "CRC-24/OPENPGP",
  widthBits: 24,
  poly: 0x864cfb,
  init: 0xb704ce,
  refin: false,
  refout: false,
  xorout: 0x000000,
  check: 0x21cf02,
  residue: 0x000000,
  class: "attested",
  aliases: ["CRC-24"]
})

/** CRC-24/OS-9. @category 24 bits @since 0.1.0 */
export const crc24Os9 = /* @__PURE__ */ narrow({
  name: "CRC-24/OS-9",
  widthBits: 24,
  poly: 0x800063,
  init: 0xffffff,
  refin: false,
  refout: false,
  xorout: 0xffffff,
  check: 0x200fa5,
  residue: 0x800fe3,
  class: "attested",
  aliases: []
})

/** CRC-30/CDMA. @category 30 bits @since 0.1.0 */
export const crc30Cdma = /* @__PURE__ */ narrow({
  name: "CRC-30/CDMA",
  widthBits: 30,
  poly: 0x2030b9c7,
  init: 0x3fffffff,
  refin: false,
  refout: false,
  xorout: 0x3fffffff,
  check: 0x04c34abf,
  residue: 0x34efa55a,
  class: "academic",
  aliases: []
})

/** CRC-31/PHILIPS. @category 31 bits @since 0.1.0 */
export const crc31Philips = /* @__PURE__ */ narrow({
  name: "CRC-31/PHILIPS",
  widthBits: 31,
  poly: 0x04c11db7,
  init: 0x7fffffff,
  refin: false,
  refout: false,
  xorout: 0x7fffffff,
  check: 0x0ce9e46c,
  residue: 0x4eaf26f1,
  class: "confirmed",
  aliases: []
})

/** CRC-32/AIXM, also CRC-32Q. @category 32 bits @since 0.1.0 */
export const crc32Aixm = /* @__PURE__ */ narrow({
  name: "CRC-32/AIXM",
  widthBits: 32,
  poly: 0x814141ab,
  init: 0x00000000,
  refin: false,
  refout: false,
  xorout: 0x00000000,
  check: 0x3010bf7f,
  residue: 0x00000000,
  class: "attested",
  aliases: ["CRC-32Q"]
})

/** CRC-32/AUTOSAR. @category 32 bits @since 0.1.0 */
export const crc32Autosar = /* @__PURE__ */ narrow({
  name: "CRC-32/AUTOSAR",
  widthBits: 32,
  poly: 0xf4acfb13,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0xffffffff,
  check: 0x1697d06a,
  residue: 0x904cddbf,
  class: "attested",
  aliases: []
})

/** CRC-32/BASE91-D, also CRC-32D. @category 32 bits @since 0.1.0 */
export const crc32Base91D = /* @__PURE__ */ narrow({
  name: "CRC-32/BASE91-D",
  widthBits: 32,
  poly: 0xa833982b,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0xffffffff,
  check: 0x87315576,
  residue: 0x45270551,
  class: "confirmed",
  aliases: ["CRC-32D"]
})

/** CRC-32/BZIP2, also CRC-32/AAL5, CRC-32/DECT-B, B-CRC-32. @category 32 bits @since 0.1.0 */
export const crc32Bzip2 = /* @__PURE__ */ narrow({
  name: "CRC-32/BZIP2",
  widthBits: 32,
  poly: 0x04c11db7,
  init: 0xffffffff,
  refin: false,
  refout: false,
  xorout: 0xffffffff,
  check: 0xfc891918,
  residue: 0xc704dd7b,
  class: "attested",
  aliases: ["CRC-32/AAL5", "CRC-32/DECT-B", "B-CRC-32"]
})

/** CRC-32/CD-ROM-EDC. @category 32 bits @since 0.1.0 */
export const crc32CdRomEdc = /* @__PURE__ */ narrow({
  name: "CRC-32/CD-ROM-EDC",
  widthBits: 32,
  poly: 0x8001801b,
  init: 0x00000000,
  refin: true,
  refout: true,
  xorout: 0x00000000,
  check: 0x6ec2edc4,
  residue: 0x00000000,
  class: "academic",
  aliases: []
})

/** CRC-32/CKSUM, also CKSUM, CRC-32/POSIX. @category 32 bits @since 0.1.0 */
export const crc32Cksum = /* @__PURE__ */ narrow({
  name: "CRC-32/CKSUM",
  widthBits: 32,
  poly: 0x04c11db7,
  init: 0x00000000,
  refin: false,
  refout: false,
  xorout: 0xffffffff,
  check: 0x765e7680,
  residue: 0xc704dd7b,
  class: "attested",
  aliases: ["CKSUM", "CRC-32/POSIX"]
})

/**
 * CRC-32/ISCSI, also CRC-32/BASE91-C, CRC-32/CASTAGNOLI, CRC-32/INTERLAKEN, CRC-32C, CRC-32/NVME.
 *
 * @category 32 bits
 * @since 0.1.0
 */
export const crc32Iscsi = /* @__PURE__ */ narrow({
  name: "CRC-32/ISCSI",
  widthBits: 32,
  poly: 0x1edc6f41,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0xffffffff,
  check: 0xe3069283,
  residue: 0xb798b438,
  class: "attested",
  aliases: ["CRC-32/BASE91-C", "CRC-32/CASTAGNOLI", "CRC-32/INTERLAKEN", "CRC-32C", "CRC-32/NVME"]
})

/** CRC-32/ISO-HDLC, also CRC-32, CRC-32/ADCCP, CRC-32/V-42, CRC-32/XZ, PKZIP. @category 32 bits @since 0.1.0 */
export const crc32IsoHdlc = /* @__PURE__ */ narrow({
  name: "CRC-32/ISO-HDLC",
  widthBits: 32,
  poly: 0x04c11db7,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0xffffffff,
  check: 0xcbf43926,
  residue: 0xdebb20e3,
  class: "attested",
  aliases: ["CRC-32", "CRC-32/ADCCP", "CRC-32/V-42", "CRC-32/XZ", "PKZIP"]
})

/** CRC-32/JAMCRC, also JAMCRC. @category 32 bits @since 0.1.0 */
export const crc32Jamcrc = /* @__PURE__ */ narrow({
  name: "CRC-32/JAMCRC",
  widthBits: 32,
  poly: 0x04c11db7,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0x00000000,
  check: 0x340bc6d9,
  residue: 0x00000000,
  class: "confirmed",
  aliases: ["JAMCRC"]
})

/** CRC-32/MEF. @category 32 bits @since 0.1.0 */
export const crc32Mef = /* @__PURE__ */ narrow({
  name: "CRC-32/MEF",
  widthBits: 32,
  poly: 0x741b8cd7,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0x00000000,
  check: 0xd2c22f51,
  residue: 0x00000000,
  class: "attested",
  aliases: []
})

/** CRC-32/MPEG-2. @category 32 bits @since 0.1.0 */
export const crc32Mpeg2 = /* @__PURE__ */ narrow({
  name: "CRC-32/MPEG-2",
  widthBits: 32,
  poly: 0x04c11db7,
  init: 0xffffffff,
  refin: false,
  refout: false,
  xorout: 0x00000000,
  check: 0x0376e6e7,
  residue: 0x00000000,
  class: "attested",
  aliases: []
})

/** CRC-32/XFER, also XFER. @category 32 bits @since 0.1.0 */
export const crc32Xfer = /* @__PURE__ */ narrow({
  name: "CRC-32/XFER",
  widthBits: 32,
  poly: 0x000000af,
  init: 0x00000000,
  refin: false,
  refout: false,
  xorout: 0x00000000,
  check: 0xbd0be338,
  residue: 0x00000000,
  class: "confirmed",
  aliases: ["XFER"]
})

/** CRC-40/GSM. @category 40 bits @since 0.1.0 */
export const crc40Gsm = /* @__PURE__ */ wide({
  name: "CRC-40/GSM",
  widthBits: 40,
  poly: 0x0004820009n,
  init: 0x0000000000n,
  refin: false,
  refout: false,
  xorout: 0xffffffffffn,
  check: 0xd4164fc646n,
  residue: 0xc4ff8071ffn,
  class: "academic",
  aliases: []
})

/** CRC-64/ECMA-182, also CRC-64. @category 64 bits @since 0.1.0 */
export const crc64Ecma182 = /* @__PURE__ */ wide({
  name: "CRC-64/ECMA-182",
  widthBits: 64,
  poly: 0x42f0e1eba9ea3693n,
  init: 0x0000000000000000n,
  refin: false,
  refout: false,
  xorout: 0x0000000000000000n,
  check: 0x6c40df5f0b497347n,
  residue: 0x0000000000000000n,
  class: "academic",
  aliases: ["CRC-64"]
})

/** CRC-64/GO-ISO. @category 64 bits @since 0.1.0 */
export const crc64GoIso = /* @__PURE__ */ wide({
  name: "CRC-64/GO-ISO",
  widthBits: 64,
  poly: 0x000000000000001bn,
  init: 0xffffffffffffffffn,
  refin: true,
  refout: true,
  xorout: 0xffffffffffffffffn,
  check: 0xb90956c775a41001n,
  residue: 0x5300000000000000n,
  class: "confirmed",
  aliases: []
})

/** CRC-64/MS. @category 64 bits @since 0.1.0 */
export const crc64Ms = /* @__PURE__ */ wide({
  name: "CRC-64/MS",
  widthBits: 64,
  poly: 0x259c84cba6426349n,
  init: 0xffffffffffffffffn,
  refin: true,
  refout: true,
  xorout: 0x0000000000000000n,
  check: 0x75d4b74f024eceean,
  residue: 0x0000000000000000n,
  class: "attested",
  aliases: []
})

/** CRC-64/NVME. @category 64 bits @since 0.1.0 */
export const crc64Nvme = /* @__PURE__ */ wide({
  name: "CRC-64/NVME",
  widthBits: 64,
  poly: 0xad93d23594c93659n,
  init: 0xffffffffffffffffn,
  refin: true,
  refout: true,
  xorout: 0xffffffffffffffffn,
  check: 0xae8b14860a799888n,
  residue: 0xf310303b2b6f6e42n,
  class: "attested",
  aliases: []
})

/** CRC-64/REDIS. @category 64 bits @since 0.1.0 */
export const crc64Redis = /* @__PURE__ */ wide({
  name: "CRC-64/REDIS",
  widthBits: 64,
  poly: 0xad93d23594c935a9n,
  init: 0x0000000000000000n,
  refin: true,
  refout: true,
  xorout: 0x0000000000000000n,
  check: 0xe9c6d914c4b8d9can,
  residue: 0x0000000000000000n,
  class: "academic",
  aliases: []
})

/** CRC-64/WE. @category 64 bits @since 0.1.0 */
export const crc64We = /* @__PURE__ */ wide({
  name: "CRC-64/WE",
  widthBits: 64,
  poly: 0x42f0e1eba9ea3693n,
  init: 0xffffffffffffffffn,
  refin: false,
  refout: false,
  xorout: 0xffffffffffffffffn,
  check: 0x62ec59e3f1a4f00an,
  residue: 0xfcacbebd5931a992n,
  class: "confirmed",
  aliases: []
})

/** CRC-64/XZ, also CRC-64/GO-ECMA. @category 64 bits @since 0.1.0 */
export const crc64Xz = /* @__PURE__ */ wide({
  name: "CRC-64/XZ",
  widthBits: 64,
  poly: 0x42f0e1eba9ea3693n,
  init: 0xffffffffffffffffn,
  refin: true,
  refout: true,
  xorout: 0xffffffffffffffffn,
  check: 0x995dc9bbdf1939fan,
  residue: 0x49958c9abd7d353fn,
  class: "attested",
  aliases: ["CRC-64/GO-ECMA"]
})

/** CRC-82/DARC. @category 82 bits @since 0.1.0 */
export const crc82Darc = /* @__PURE__ */ wide({
  name: "CRC-82/DARC",
  widthBits: 82,
  poly: 0x0308c0111011401440411n,
  init: 0x000000000000000000000n,
  refin: true,
  refout: true,
  xorout: 0x000000000000000000000n,
  check: 0x09ea83f625023801fd612n,
  residue: 0x000000000000000000000n,
  class: "attested",
  aliases: []
})

/** All 113 algorithms, by width and then by name. @category lookup @since 0.1.0 */
export const all: ReadonlyArray<Algorithm> = [
  crc3Gsm,
  crc3Rohc,
  crc4G704,
  crc4Interlaken,
  crc5EpcC1g2,
  crc5G704,
  crc5Usb,
  crc6Cdma2000A,
  crc6Cdma2000B,
  crc6Darc,
  crc6G704,
  crc6Gsm,
  crc7Mmc,
  crc7Rohc,
  crc7Umts,
  crc8Autosar,
  crc8Bluetooth,
  crc8Cdma2000,
  crc8Darc,
  crc8DvbS2,
  crc8GsmA,
  crc8GsmB,
  crc8Hitag,
  crc8I432_1,
  crc8ICode,
  crc8Lte,
  crc8MaximDow,
  crc8MifareMad,
  crc8Nrsc5,
  crc8Opensafety,
  crc8Rohc,
  crc8SaeJ1850,
  crc8Smbus,
  crc8Tech3250,
  crc8Wcdma,
  crc10Atm,
  crc10Cdma2000,
  crc10Gsm,
  crc11Flexray,
  crc11Umts,
  crc12Cdma2000,
  crc12Dect,
  crc12Gsm,
  crc12Umts,
  crc13Bbc,
  crc14Darc,
  crc14Gsm,
  crc15Can,
  crc15Mpt1327,
  crc16Arc,
  crc16Cdma2000,
  crc16Cms,
  crc16Dds110,
  crc16DectR,
  crc16DectX,
  crc16Dnp,
  crc16En13757,
  crc16Genibus,
  crc16Gsm,
  crc16Ibm3740,
  crc16IbmSdlc,
  crc16IsoIec14443_3A,
  crc16Kermit,
  crc16Lj1200,
  crc16M17,
  crc16MaximDow,
  crc16Mcrf4xx,
  crc16Modbus,
  crc16Nrsc5,
  crc16OpensafetyA,
  crc16OpensafetyB,
  crc16Profibus,
  crc16Riello,
  crc16SpiFujitsu,
  crc16T10Dif,
  crc16Teledisk,
  crc16Tms37157,
  crc16Umts,
  crc16Usb,
  crc16Xmodem,
  crc17CanFd,
  crc21CanFd,
  crc24Ble,
  crc24FlexrayA,
  crc24FlexrayB,
  crc24Interlaken,
  crc24LteA,
  crc24LteB,
  crc24Openpgp,
  crc24Os9,
  crc30Cdma,
  crc31Philips,
  crc32Aixm,
  crc32Autosar,
  crc32Base91D,
  crc32Bzip2,
  crc32CdRomEdc,
  crc32Cksum,
  crc32Iscsi,
  crc32IsoHdlc,
  crc32Jamcrc,
  crc32Mef,
  crc32Mpeg2,
  crc32Xfer,
  crc40Gsm,
  crc64Ecma182,
  crc64GoIso,
  crc64Ms,
  crc64Nvme,
  crc64Redis,
  crc64We,
  crc64Xz,
  crc82Darc
]
