import { Markup } from './page/markup.js'

/** Bars of one meaning, stacked on those before it. */
export interface Series {
  name: string
  /** Name of the colour in the page's style sheet. */
  colour: string
  /** One value a step; null where nothing is known. */
  values: readonly (number | null)[]
}

const WIDTH = 720
const HEIGHT = 220
const FONT_SIZE = 12

/**
 * Stacked bars over time as SVG without a style of its own: colours are those of the page's style sheet, in light
 * and in dark, and each series has a pattern beside its colour.
 * @param firstDays what stands under the bars
 */
export async function barChart(
  firstDays: readonly string[],
  series: readonly Series[],
): Promise<Markup> {
  const [{ init, use }, { BarChart }, { AriaComponent, GridComponent }, { SVGRenderer }] =
    await Promise.all([
      import('echarts/core'),
      import('echarts/charts'),
      import('echarts/components'),
      import('echarts/renderers'),
    ])
  use([AriaComponent, BarChart, GridComponent, SVGRenderer])
  const palette = new Palette()
  const [text, line, pattern] = ['muted', 'line', 'paper'].map((name) => palette.take(name))
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  try {
    const label = { color: text, fontSize: FONT_SIZE }
    chart.setOption({
      animation: false,
      // Four patterns, the first of which is none.
      aria: {
        enabled: true,
        decal: {
          show: true,
          decals: [
            { symbol: 'none' },
            { dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4 },
            { symbol: 'circle', dashArrayX: [[6, 6]], dashArrayY: [6, 0], symbolSize: 0.6 },
            { dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: Math.PI / 4 },
          ].map((decal) => ({ ...decal, color: pattern })),
        },
      },
      grid: { left: 44, right: 8, top: 10, bottom: 26 },
      xAxis: {
        type: 'category',
        data: [...firstDays],
        axisLabel: { ...label, hideOverlap: true },
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        axisLabel: label,
        splitLine: { lineStyle: { color: line } },
      },
      series: series.map(({ name, colour, values }) => ({
        type: 'bar',
        stack: 'all',
        name,
        silent: true,
        barMaxWidth: 28,
        barCategoryGap: '25%',
        data: [...values],
        itemStyle: { color: palette.take(colour) },
      })),
    })
    return new Markup(palette.apply(chart.renderToSVGString()))
  } finally {
    // Its timer would keep the program from ending.
    chart.dispose()
  }
}

/** Stands in for colours of the style sheet while the library, which knows no variables, draws. */
class Palette {
  readonly #names: string[] = []

  /** A colour that occurs nowhere else. */
  take(name: string): string {
    this.#names.push(name)
    return stand(this.#names.length)
  }

  /** Puts the variables in the place of the colours, and takes away what a page without inline styles ignores. */
  apply(svg: string): string {
    const named = this.#names.reduce(
      (text, name, index) => text.replaceAll(stand(index + 1), `var(--${name})`),
      svg.replaceAll(/rgb\(1,1,(\d+)\)/g, (_, number: string) => stand(Number(number))),
    )
    return named
      .replace(/<style[^]*?<\/style>/g, '')
      .replaceAll(/ (class|ecmeta_\w+|xmlns:\w+)="[^"]*"/g, '')
      .replaceAll(/style="font-size:(\d+)px;font-family:[^"]*"/g, 'font-size="$1"')
      .replace(
        /<svg [^>]*>/,
        `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true" focusable="false">`,
      )
  }
}

function stand(number: number): string {
  return `#0101${number.toString(16).padStart(2, '0')}`
}
