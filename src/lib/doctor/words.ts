/** The first few of many names, and how many more there are. */
export function listed(names: readonly string[], total: number): string {
  const more = total - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
