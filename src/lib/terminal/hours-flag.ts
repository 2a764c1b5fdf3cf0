import { Flags } from '@oclif/core'
import { parseWindow, type Window } from '../campaign/window.js'
import { UsageError } from '../errors.js'

/** A flag such as `--hours 07:00-19:00`. */
export const hoursFlag = Flags.custom<Window>({
  parse: async (text) => {
    const window = parseWindow(text)
    if (window.kind === 'clock') return window
    throw new UsageError('bad-hours', 'hours are a time of the day such as 07:00-19:00')
  },
  helpValue: '07:00-19:00',
})
