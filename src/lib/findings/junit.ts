/** One check of one thing, as CI systems show it. */
export interface JunitCase {
  /** What was checked: a server, a device. */
  group: string
  name: string
  /** What it found; none when it passed. */
  failures: readonly string[]
  /** Why it could not be carried out; none when it was. */
  errors: readonly string[]
}

/**
 * Checks as JUnit's XML, which most CI systems read: a finding is a failure, and what could not be checked
 * an error, so that neither is green. @see https://github.com/testmoapp/junitxml
 */
export function toJunit(name: string, cases: readonly JunitCase[]): string {
  const groups = [...new Set(cases.map(({ group }) => group))]
  const suites = groups.flatMap((group) => {
    const own = cases.filter((each) => each.group === group)
    return [`  <testsuite ${counts(group, own)}>`, ...own.flatMap(caseLines), '  </testsuite>']
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts(name, cases)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function counts(name: string, cases: readonly JunitCase[]): string {
  const failed = cases.filter(({ failures, errors }) => failures.length > 0 && errors.length === 0)
  const broken = cases.filter(({ errors }) => errors.length > 0)
  return `name="${escape(name)}" tests="${cases.length}" failures="${failed.length}" errors="${broken.length}"`
}

function caseLines({ group, name, failures, errors }: JunitCase): string[] {
  const opening = `    <testcase classname="${escape(group)}" name="${escape(name)}"`
  if (failures.length + errors.length === 0) return [`${opening}/>`]
  const element = (kind: string, texts: readonly string[]) =>
    texts.length === 0
      ? []
      : [`      <${kind} message="${escape(texts[0] ?? '')}">${escape(texts.join('\n'))}</${kind}>`]
  return [
    `${opening}>`,
    ...element('error', errors),
    ...element('failure', failures),
    '    </testcase>',
  ]
}

/** Text for XML 1.0, which has no way at all to say most control characters. */
function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
    .replaceAll('\n', '&#10;')
}
