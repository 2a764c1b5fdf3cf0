import { Help, type Config } from '@oclif/core'
import { HELP_TOPICS, type HelpEntry, type HelpTopic } from './help-topics.js'
import { widthOf, wrap } from './layout.js'
import { unknownCommand } from './unknown-command.js'

/** What `cleverctl help` answers. */
export interface HelpResult {
  /** The command or topic; empty for the overview. */
  topic: string
  text: string
  /** What a topic lists, for programs. */
  entries?: readonly HelpEntry[]
}

/** A name longer than this stands on a line of its own, above its meaning. */
const MAX_NAME = 36
const INDENT = 2

/**
 * Help about a command, a group of commands or a topic; about everything where `words` is empty.
 * @param options `width` of the lines; `isPlain` leaves colour out
 * Throws UsageError for what is neither command nor topic.
 */
export async function helpAbout(
  words: readonly string[],
  config: Config,
  options: { width: number; isPlain: boolean },
): Promise<HelpResult> {
  const [first] = words
  const topic = first === undefined || words.length > 1 ? undefined : HELP_TOPICS[first]
  if (first !== undefined && topic !== undefined)
    return { topic: first, text: describeTopic(topic, options.width), entries: topic.entries }
  const names = config.commandIDs.map((id) => id.replaceAll(':', ' '))
  const subject = findSubject(words, names)
  if (subject === undefined) throw unknownCommand(words, [...names, ...Object.keys(HELP_TOPICS)])
  const help = new CollectedHelp(config, {
    ...config.pjson.oclif.helpOptions,
    stripAnsi: options.isPlain,
  })
  const command = config.findCommand(subject.join(':'))
  await (command === undefined ? help.showHelp(subject) : help.showCommandHelp(command))
  return { topic: subject.join(' '), text: help.text.trimEnd() }
}

/** The words that name something; what follows a whole command's name are its arguments. */
function findSubject(words: readonly string[], names: readonly string[]): string[] | undefined {
  const whole = words.join(' ')
  const isGroup = words.length === 0 || names.some((name) => name.startsWith(`${whole} `))
  if (isGroup) return [...words]
  return names
    .filter((name) => `${whole} `.startsWith(`${name} `))
    .map((name) => name.split(' '))
    .sort((a, b) => b.length - a.length)[0]
}

function describeTopic(topic: HelpTopic, width: number): string {
  const column =
    Math.min(MAX_NAME, Math.max(...topic.entries.map(({ name }) => widthOf(name)))) + INDENT * 2
  const paragraphs = topic.text.split('\n').flatMap((paragraph) => [...wrap(paragraph, width), ''])
  const entries = topic.entries.flatMap(({ name, meaning }) => {
    const lines = wrap(meaning, Math.max(20, width - column)).map(
      (line) => ' '.repeat(column) + line,
    )
    const label = ' '.repeat(INDENT) + name
    const [firstLine = '', ...others] = lines
    if (label.length + INDENT > column) return [label, ...lines]
    return [label + firstLine.slice(label.length), ...others]
  })
  return [...paragraphs, ...entries].join('\n')
}

/** oclif's help, kept instead of printed. */
class CollectedHelp extends Help {
  text = ''

  protected override log(...lines: string[]): void {
    this.text += `${lines.join('\n')}\n`
  }
}
