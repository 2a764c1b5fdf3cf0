// What the sources import from '@oclif/core', taken from the parts that hold it: the package's own
// entry also loads a second help, a version check and more, 20 ms at every start.
export * as Args from '@oclif/core/args'
export { Command } from '@oclif/core/command'
export { Config, Plugin } from '@oclif/core/config'
export * as Errors from '@oclif/core/errors'
export * as Flags from '@oclif/core/flags'
export { Help } from '@oclif/core/help'
export { run } from '@oclif/core/run'
export { settings } from '@oclif/core/settings'
export { ux } from '@oclif/core/ux'
