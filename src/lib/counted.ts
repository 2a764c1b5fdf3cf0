/** A number of things in words: `1 finding`, `3 findings`. @param noun one whose plural ends in s */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** For a sentence that names the first of several: ` (and 2 more)`, or nothing where it is the only one. */
export function andMore(all: readonly unknown[]): string {
  return all.length > 1 ? ` (and ${all.length - 1} more)` : ''
}
