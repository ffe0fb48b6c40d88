// A seeded source of random numbers for the tests beside. It has no test itself;
// its name keeps it out of the library.

/** The generator mulberry32: 32 bits of state, the same numbers for a seed. */
export class Random {
  constructor(private state: number) {}

  /** In [0, 1). */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  coin(): boolean {
    return this.fraction() < 0.5;
  }

  /** One of a list that is not empty. */
  of<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }
}

/** Runs a property for many seeds; what it throws is said with the seed. */
export function check(seeds: number, property: (r: Random) => void): void {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      property(new Random(seed));
    } catch (cause) {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    }
  }
}
