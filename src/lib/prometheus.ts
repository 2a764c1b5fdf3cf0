/** A gauge of Prometheus. */
export interface Metric {
  name: string
  help: string
  samples: { labels: Record<string, string>; value: number }[]
}

/**
 * Metrics as the textfile collector of node_exporter reads them. One without samples is left out: what is not known has
 * no value. Labels must hold no character that would have to be escaped.
 */
export function toTextfile(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${braces(labels)} ${value}\n`)
      return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
    })
    .join('')
}

function braces(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`)
  return `{${pairs.join(',')}}`
}
