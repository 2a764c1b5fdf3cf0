/** Texts that mean something to SQL, to PostgreSQL's formats or to a command line; none may mean it here. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'a quote': "'",
  'a double quote': '"',
  'the end of a statement': "'; drop table cleverctl.device; --",
  'the end of an identifier': '"; drop schema cleverctl cascade; --',
  'dollar quotes': '$$; drop table cleverctl.device; $$',
  'always true': "' or '1'='1",
  'another select': "x' union all select encode(secret_sha256, 'hex') from cleverctl.device --",
  'a parameter': '$1',
  'a backslash before a quote': "\\'; drop table cleverctl.device; --",
  comments: '/* -- */ -- #',
  'format specifiers': '%s%I%L%n%d',
  'wildcards of like': '%_',
  'null of copy': '\\N',
  'the end of copy': '\\.',
  'an array': '{a,"b}',
  'an object': '{"$ne": null}',
  'look-alikes of quotes': 'ʼ; ＇ drop table cleverctl.device ﹣﹣ 😀',
  'line breaks': "a\r\nb\n'c",
  'an escape sequence': '\u001b[2J\u0007',
  'very long': "'x".repeat(50_000),
  'a flag': '--yes',
  'a short flag': '-h',
  empty: '',
}

/** What no operating system passes in an argument, but a file or a request may hold. */
export const HOSTILE_BYTES: Readonly<Record<string, string>> = {
  ...HOSTILE,
  'a NUL': "a\0b'",
  'half a surrogate pair': "\ud800'",
}
