/** A number of things in words: `1 finding`, `3 findings`. @param noun one whose plural ends in s */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
