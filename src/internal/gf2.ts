/**
 * Polynomials over the field of two elements, as bigints: the coefficient of x^n is bit n.
 */

const degree = (a: bigint): number => a === 0n ? -1 : a.toString(2).length - 1

/** The remainder of `a` divided by `m`. */
export const mod = (a: bigint, m: bigint): bigint => {
  const top = degree(m)
  for (let at = degree(a); at >= top; at = degree(a)) {
    a ^= m << BigInt(at - top)
  }
  return a
}

const divide = (a: bigint, b: bigint): bigint => {
  const top = degree(b)
  let quotient = 0n
  for (let at = degree(a); at >= top; at = degree(a)) {
    quotient |= 1n << BigInt(at - top)
    a ^= b << BigInt(at - top)
  }
  return quotient
}

const gcd = (a: bigint, b: bigint): bigint => b === 0n ? a : gcd(b, mod(a, b))

const multiply = (a: bigint, b: bigint, m: bigint): bigint => {
  const top = 1n << BigInt(degree(m))
  let product = 0n
  for (; b > 0n; b >>= 1n) {
    if ((b & 1n) === 1n) product ^= a
    a <<= 1n
    if ((a & top) !== 0n) a ^= m
  }
  return product
}

/** x^n modulo `m`. */
const powerOfX = (n: bigint, m: bigint): bigint => {
  let power = mod(1n, m)
  for (const bit of n.toString(2)) {
    power = multiply(power, power, m)
    if (bit === "1") power = mod(power << 1n, m)
  }
  return power
}

/** Only the odd powers are left of a derivative: 2 is 0. */
const derivative = (a: bigint): bigint => {
  let result = 0n
  for (let n = 1; n <= degree(a); n += 2) result |= (a >> BigInt(n) & 1n) << BigInt(n - 1)
  return result
}

/** The root of a square: the polynomial of its even powers. */
const root = (a: bigint): bigint => {
  let result = 0n
  for (let n = 0; n <= degree(a); n += 2) result |= (a >> BigInt(n) & 1n) << BigInt(n / 2)
  return result
}

/** The product of the different irreducible factors, and how often the most frequent one occurs. */
const squareFree = (a: bigint): { readonly radical: bigint; readonly most: number } => {
  if (degree(a) < 1) return { radical: 1n, most: 0 }
  const common = gcd(a, derivative(a))
  let rest = divide(a, common)
  let left = common
  let radical = rest
  let most = degree(rest) > 0 ? 1 : 0
  for (let times = 2; degree(rest) > 0; times++) {
    const again = gcd(rest, left)
    if (degree(again) > 0) most = times
    left = divide(left, again)
    rest = again
  }
  // What is left has even multiplicities only: it is a square.
  const square = squareFree(degree(left) > 0 ? root(left) : 1n)
  const shared = gcd(radical, square.radical)
  radical = multiplyPlain(radical, divide(square.radical, shared))
  return { radical, most: Math.max(most, 2 * square.most) }
}

const multiplyPlain = (a: bigint, b: bigint): bigint => {
  let product = 0n
  for (let n = 0; n <= degree(b); n++) {
    if ((b >> BigInt(n) & 1n) === 1n) product ^= a << BigInt(n)
  }
  return product
}

const integerGcd = (a: bigint, b: bigint): bigint => b === 0n ? a : integerGcd(b, a % b)

const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = result * base % modulus
    base = base * base % modulus
  }
  return result
}

/** Miller and Rabin, with bases that suffice below 3.3 * 10^24 (Sorenson and Webster, 2015) and hardly fail above. */
const isPrime = (n: bigint): boolean => {
  const bases = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n]
  if (n < 2n) return false
  if (bases.some((prime) => n % prime === 0n)) return bases.includes(n)
  let odd = n - 1n
  let twos = 0
  for (; odd % 2n === 0n; odd /= 2n) twos++
  return bases.every((base) => {
    let value = power(base, odd, n)
    if (value === 1n || value === n - 1n) return true
    for (let i = 1; i < twos; i++) {
      value = value * value % n
      if (value === n - 1n) return true
    }
    return false
  })
}

/** A factor of a composite number: Pollard's rho. */
const factorOf = (n: bigint): bigint => {
  if (n % 2n === 0n) return 2n
  for (let offset = 1n;; offset++) {
    let slow = 2n
    let fast = 2n
    let factor = 1n
    while (factor === 1n) {
      slow = (slow * slow + offset) % n
      fast = (fast * fast + offset) % n
      fast = (fast * fast + offset) % n
      factor = integerGcd(slow > fast ? slow - fast : fast - slow, n)
    }
    if (factor !== n) return factor
  }
}

const primeFactors = (n: bigint): Set<bigint> => {
  if (n === 1n) return new Set()
  if (isPrime(n)) return new Set([n])
  const factor = factorOf(n)
  return primeFactors(factor).union(primeFactors(n / factor))
}

/**
 * The order of x: the smallest n above 0 with x^n = 1 modulo `a`, whose constant term is 1.
 *
 * The order for a product of different irreducible polynomials of degree d divides 2^d - 1; such products are split off by
 * degree. Repeated factors multiply the order by the power of 2 that is at least their number (Lidl and Niederreiter,
 * "Finite Fields", theorem 3.8).
 */
export const orderOfX = (a: bigint): bigint => {
  const { most, radical } = squareFree(a)
  let order = 1n
  let rest = radical
  let frobenius = 2n
  for (let d = 1; degree(rest) > 0; d++) {
    // x^(2^d) - x is the product of all irreducible polynomials whose degree divides d.
    frobenius = d === 1 ? mod(4n, rest) : multiply(mod(frobenius, rest), mod(frobenius, rest), rest)
    const part = 2 * d > degree(rest) ? rest : gcd(rest, frobenius ^ mod(2n, rest))
    if (degree(part) < 1) continue
    const exact = 2 * d > degree(rest) ? degree(rest) : d
    let own = (1n << BigInt(exact)) - 1n
    for (const prime of primeFactors(own)) {
      while (own % prime === 0n && powerOfX(own / prime, part) === mod(1n, part)) own /= prime
    }
    order = order / integerGcd(order, own) * own
    rest = divide(rest, part)
  }
  let repeats = 1n
  while (repeats < BigInt(most)) repeats *= 2n
  return order * repeats
}
