/** A label with its QR code as a drawing. */
export interface DrawnLabel {
  installation: string
  ssid: string
  version: number
  /** An SVG element. */
  svg: string
}

/** Millimetres of one label's drawing. */
const WIDTH = 60
const TEXT_HEIGHT = 14

/** One label as an SVG document: the code, and under it whose it is. */
export function svgLabel({ installation, ssid, version, svg }: DrawnLabel): string {
  const code = svg.replace('<svg ', `<svg width="${WIDTH}" height="${WIDTH}" x="0" y="0" `)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}mm" height="${WIDTH + TEXT_HEIGHT}mm" viewBox="0 0 ${WIDTH} ${WIDTH + TEXT_HEIGHT}">
<rect width="100%" height="100%" fill="#fff"/>
${code.trim()}
<g font-family="sans-serif" font-size="4" text-anchor="middle">
<text x="${WIDTH / 2}" y="${WIDTH + 4}">${escaped(ssid)}</text>
<text x="${WIDTH / 2}" y="${WIDTH + 10}">${escaped(installation)} · version ${version}</text>
</g>
</svg>
`
}

/** Labels to be printed, as one HTML document that loads nothing. */
export function htmlSheet(labels: readonly DrawnLabel[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Wi-Fi labels</title>
<style>
@page { margin: 10mm }
body { margin: 0; display: grid; grid-template-columns: repeat(3, 1fr); gap: 4mm }
figure { margin: 0; break-inside: avoid }
svg { width: 100%; height: auto }
</style>
${labels.map((label) => `<figure>${svgLabel(label)}</figure>`).join('\n')}
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
