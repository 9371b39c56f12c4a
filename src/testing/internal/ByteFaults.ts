/**
 * What is to happen to one direction of a simulated connection when certain bytes of it arrive.
 *
 * ```
 * arrive 100 bytes @4000, reset @4050  -->  50 bytes are given, then the connection breaks
 * ```
 *
 * @since 0.1.0
 */

/** What happens when a byte arrives. @category models @since 0.1.0 */
export type ByteFault =
  | { readonly kind: "corrupt"; readonly atByte: number; readonly xor: number }
  | { readonly kind: "reset"; readonly atByte: number; readonly seenAs: "reset" | "end" }

/** The faults of one direction that have not happened. @category models @since 0.1.0 */
export class ByteFaults {
  private faults: ReadonlyArray<ByteFault> = []

  get isEmpty(): boolean {
    return this.faults.length === 0
  }

  add(fault: ByteFault): void {
    this.faults = [...this.faults, fault]
  }

  /** Changes those of these bytes, which begin at a place of the stream, that are to be changed; says which ones. */
  spoil(bytes: Uint8Array, from: number): ReadonlyArray<number> {
    const places: Array<number> = []
    for (const fault of this.faults) {
      const at = fault.atByte - from
      if (fault.kind !== "corrupt" || at < 0 || at >= bytes.length) continue
      bytes[at] = (bytes[at] as number) ^ fault.xor // at is inside
      places.push(fault.atByte)
    }
    if (places.length > 0) {
      this.faults = this.faults.filter(({ atByte, kind }) => kind === "reset" || atByte >= from + bytes.length)
    }
    return places
  }

  /** The first place, not behind `until`, where the stream is to end. */
  stopBefore(until: number): number | undefined {
    let stop: number | undefined = undefined
    for (const { atByte, kind } of this.faults) {
      if (kind === "reset" && atByte <= until && (stop === undefined || atByte < stop)) stop = atByte
    }
    return stop
  }

  /** Takes the fault that ends the stream at this place. */
  takeStop(byte: number): "reset" | "end" | undefined {
    const fault = this.faults.find(({ atByte, kind }) => kind === "reset" && atByte <= byte)
    if (fault?.kind !== "reset") return undefined
    this.faults = this.faults.filter((other) => other !== fault)
    return fault.seenAs
  }
}
