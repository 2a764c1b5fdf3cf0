/**
 * Rules for gitleaks, as TOML, that find what this scan finds by its prefix. gitleaks does not compute
 * checksums, so it also finds what only looks like a secret.
 */
export function gitleaksRules(): string {
  return [
    rule({
      id: 'cleverctl-api-key',
      description: 'API key of an installation',
      regex: 'clv_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}',
      keyword: 'clv_',
    }),
    rule({
      id: 'cleverctl-device-secret',
      description: 'Secret of a CleverDx data logger',
      regex: 'clvd_[0-9A-Za-z_-]{43}_[0-9A-Za-z]{6}',
      keyword: 'clvd_',
    }),
  ].join('\n')
}

function rule(given: { id: string; description: string; regex: string; keyword: string }): string {
  return [
    '[[rules]]',
    `id = "${given.id}"`,
    `description = "${given.description}"`,
    `regex = '''${given.regex}'''`,
    `keywords = ["${given.keyword}"]`,
    '',
  ].join('\n')
}
